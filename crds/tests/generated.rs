//! The checked-in CustomResourceDefinitions are those of the code, and small enough to apply.

use mcpfleet_crds::crd;
use std::{fs, path::Path};

#[test]
fn the_chart_holds_what_the_code_generates() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/mcpfleet-crds/templates");
    for definition in crd::all() {
        let path = dir.join(crd::file_name(&definition));
        let kept = fs::read_to_string(&path).unwrap_or_default();
        let made = crd::to_chart_template(&definition).unwrap();
        assert!(kept == made, "{} is out of date: run `make crds`", path.display());
    }
}

#[test]
fn the_reference_is_generated_from_the_schemas() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference.md");
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == mcpfleet_crds::reference::markdown(),
        "{} is out of date: run `make crds`",
        path.display()
    );
}

#[test]
fn each_definition_fits_the_annotation_of_client_side_apply() {
    for definition in crd::all() {
        let size = serde_json::to_vec(&definition).unwrap().len();
        assert!(size < crd::MAX_BYTES, "{} has {size} bytes", definition.spec.names.kind);
    }
}

#[test]
fn every_field_that_a_user_writes_is_described() {
    for definition in crd::all() {
        let schema = serde_json::to_value(&definition.spec.versions[0].schema).unwrap();
        let spec = &schema["openAPIV3Schema"]["properties"]["spec"];
        for (name, field) in spec["properties"].as_object().unwrap() {
            let text = field["description"].as_str().unwrap_or_default();
            assert!(text.len() > 10, "{}.spec.{name} has no description", definition.spec.names.kind);
        }
    }
}
