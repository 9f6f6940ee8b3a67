"""Side by side with peers, in the same run; never part of the tests."""
