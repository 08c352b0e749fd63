"""Speech models by the package that runs them. Only transformers is always there; none is ever installed or fetched."""
