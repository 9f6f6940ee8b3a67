"""A batch on its way: screened before it is scored, reconciled after, and what was left out is screened again."""
