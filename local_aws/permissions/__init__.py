"""The permissions that the roles of the stacks use over their whole life, recorded from the journal of a run."""
