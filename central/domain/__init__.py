"""Pure rules: asset, exit, alert, authorisation."""
