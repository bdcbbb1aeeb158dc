.PHONY: check format lint types layers tests pictures benchmarks

check: format lint types layers tests

format:
	uv run ruff format src tests benchmarks

lint:
	uv run ruff check src tests benchmarks

types:
	uv run mypy

layers:
	uv run lint-imports

tests:
	uv run pytest

pictures:
	uv run python -m docs.pictures

benchmarks:
	uv run python -m benchmarks
