"""The few functions of TIPCommon that the package uses, with the behaviour of version 2.4.3."""
