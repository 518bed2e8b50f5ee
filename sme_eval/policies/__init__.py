"""What is evaluated, declared: one TOML file per policy."""
