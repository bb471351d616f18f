"""The bad catalogs that the JSON Schema cannot reject, because they involve more than one value."""

from pathlib import Path, PurePath

from jsonschema import Draft202012Validator

from fleetform.catalog.nodes import parse_yaml
from fleetform.catalog.schema import catalog_schema

BAD = Path(__file__).parent / "bad"
SILENT = [
    "account_as_a_number",
    "autoscaling_upside_down",
    "call_to_a_worker",
    "call_to_nobody",
    "call_to_nobody_alone",
    "call_twice",
    "desired_count_and_autoscaling",
    "empty_files",
    "image_and_build",
    "missing_application_and_account",
    "missing_autoscaling_max",
    "missing_build_context",
    "missing_services",
    "network_public",
    "network_too_small",
    "network_with_host_bits",
    "no_image",
    "no_services",
    "no_such_memory",
    "null_removes_what_is_required",
    "overlay_misspelt_service",
    "overlay_removes_a_callee",
    "overlay_removes_what_is_required",
    "path_without_port",
    "public_without_port",
    "service_name_taken",
    "service_name_too_long_with_prefix",
    "variable_that_is_made",
    "zone_twice",
    "zones_of_another_region",
]


def is_silent(folder: Path, validator: Draft202012Validator) -> bool:
    """Return whether both files are valid YAML and the schema accepts both."""
    documents = [
        parse_yaml(file.read_text(encoding="utf-8"), PurePath(file.name)) for file in folder.glob("*.yaml")
    ]
    return bool(documents) and all(
        not problems and validator.is_valid(tree.plain()) for tree, problems in documents
    )


def test_the_schema_refuses_all_other_bad_catalogs() -> None:
    validator = Draft202012Validator(catalog_schema())
    assert [folder.name for folder in sorted(BAD.iterdir()) if is_silent(folder, validator)] == SILENT
