"""The packer: assembles the ZIP for the marketplace, vendors its wheels by hash, and verifies what came out."""
