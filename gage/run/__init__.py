"""One run: plan, stage, launch, watch, finish."""

__all__: list[str] = []
