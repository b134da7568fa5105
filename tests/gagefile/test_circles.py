"""What leads back to itself is found, however long the way."""

from gage.gagefile.circles import circles


def test_names_of_one_circle_have_one_number() -> None:
    found = circles(
        {"a": ["b"], "b": ["c", "d"], "c": ["a"], "d": ["e"], "e": ["d", "b2"], "b2": []}
    )

    assert found["a"] == found["b"] == found["c"]
    assert found["d"] == found["e"]
    assert len({found["a"], found["d"], found["b2"]}) == 3


def test_a_way_of_thousands_of_names_is_followed() -> None:
    names = [f"n{i}" for i in range(5000)]
    row = {name: [following] for name, following in zip(names, [*names[1:], "n4999"], strict=True)}

    assert len(set(circles(row).values())) == 5000
    assert len(set(circles({**row, "n4999": ["n0"]}).values())) == 1
