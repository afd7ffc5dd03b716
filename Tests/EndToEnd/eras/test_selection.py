"""The cells that run by default, and the README's table of them."""

from __future__ import annotations

from itertools import product

from harness.client import CLIENT
from harness.matrix import CLIENTS, DOORS, EVERY_CELL, UPSTREAMS, markdown, pairwise
from harness.upstreams import REPOSITORY


def test_the_selection_covers_every_pair() -> None:
    chosen = pairwise()
    assert set(chosen) <= set(EVERY_CELL)
    assert {((cell.client, cell.mode), cell.door) for cell in chosen} == set(product(CLIENTS, DOORS))
    assert {((cell.client, cell.mode), cell.upstream) for cell in chosen} == set(product(CLIENTS, UPSTREAMS))
    assert {(cell.door, cell.upstream) for cell in chosen} == set(product(DOORS, UPSTREAMS))
    # Each client has to meet each upstream, so fewer cells than that cannot do.
    assert len(chosen) == len(CLIENTS) * len(UPSTREAMS)


def test_the_matrix_names_the_client_that_is_installed() -> None:
    assert CLIENT in {client for client, _ in CLIENTS}


def test_the_readme_shows_the_matrix() -> None:
    assert markdown() in (REPOSITORY / "README.md").read_text(), "paste what harness/matrix.py --markdown prints"
