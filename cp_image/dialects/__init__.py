"""Translators between the core's words and one version of OCPP; a process loads one of them."""
