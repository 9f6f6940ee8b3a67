"""What a report says, as one page that a model's owner reads in a minute; it needs no network and no script."""

from __future__ import annotations

from monitoring.page.document import page

__all__ = ["page"]
