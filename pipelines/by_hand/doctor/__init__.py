"""Looks whether this machine and the accounts have what a first deploy asks for; changes nothing."""
