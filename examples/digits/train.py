"""Train a linear classifier on handwritten digits; print what it reaches after each epoch."""

import json

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

alpha = 1e-4
epochs = 5
seed = 42

images, digits = load_digits(return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(
    images / 16, digits, test_size=0.25, random_state=seed
)

model = SGDClassifier(loss="log_loss", alpha=alpha, random_state=seed)
for epoch in range(1, epochs + 1):
    model.partial_fit(train_x, train_y, classes=np.arange(10))
    print(f"epoch: {epoch}")
    print(f"loss: {log_loss(train_y, model.predict_proba(train_x)):.4f}")
    print(f"accuracy: {model.score(test_x, test_y):.4f}", flush=True)

np.savez("model.npz", weights=model.coef_, bias=model.intercept_)
with open("summary.json", "w") as file:
    json.dump(
        {
            "metrics": {"test_accuracy": model.score(test_x, test_y)},
            "attributes": {"classes": 10, "train_images": len(train_x)},
        },
        file,
    )
