"""The workbench: a local SOAR platform, an embedded Mimecast and the packer. The package never imports it."""
