"""What a soak comes to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Findings:
    """Counts, and what was wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    orderly: dict[str, int] = field(default_factory=dict)
    """Sessions that ended with nothing in flight: their names, and how many calls each made."""

    def violated(self, text: str) -> None:
        self.violations.append(text)
        if len(self.violations) <= 20:
            print(f"  VIOLATION: {text}", flush=True)
