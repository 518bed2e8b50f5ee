"""From a frame to a validated sample: the firm panel, the sample, and the flow that counts what was dropped."""
