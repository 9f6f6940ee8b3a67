"""What the monitoring library is compared with: nannyml, and the definitions themselves."""
