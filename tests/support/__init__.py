"""What tests and benchmarks of the program stand on: a chain, a deployment, assets, and named errors."""
