//! The published schema of payloads, read strictly: keys that it does not describe are refused.

use jsonschema::Validator;
use serde_json::Value;

/// `docs/payload.schema.json`.
pub fn published() -> Value {
    serde_json::from_str(include_str!("../../../docs/payload.schema.json")).expect("JSON")
}

/// Fails unless the schema describes `payload` and all its keys.
pub fn hold(payload: &[u8]) {
    let value: Value = serde_json::from_slice(payload).expect("JSON");
    let faults = faults(&strict(), &value);
    assert!(faults.is_empty(), "{faults:#?}\n{value:#}");
}

/// The schema, changed to refuse every key that it does not describe.
pub fn strict() -> Validator {
    let mut schema = published();
    close(&mut schema["$defs"]);
    validator(&schema)
}

/// A validator that checks formats, too.
pub fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).expect("a sound schema")
}

/// All faults of `payload`.
pub fn faults(schema: &Validator, payload: &Value) -> Vec<String> {
    schema.iter_errors(payload).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

fn close(definitions: &mut Value) {
    for definition in definitions.as_object_mut().expect("definitions").values_mut() {
        if definition.get("properties").is_some() {
            definition["additionalProperties"] = Value::Bool(false);
        }
    }
}
