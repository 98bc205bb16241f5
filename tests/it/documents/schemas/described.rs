//! Finds the part of a schema that describes a mapping of a document.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use serde_json::{Value, json};

/// A schema for editors (draft 7).
pub(super) struct EditorSchema {
    root: Value,
    validator: Validator,
}

/// A mapping of a document whose keys a schema names.
#[derive(Debug)]
pub(super) struct DescribedMapping {
    /// Its place in the document, as a JSON pointer.
    pub(super) place: String,
    /// The place in the schema of the object that describes it.
    pub(super) object: String,
}

impl EditorSchema {
    pub(super) fn new(text: &str) -> Self {
        let root: Value = serde_json::from_str(text).expect("JSON");
        let validator = jsonschema::validator_for(&root).expect("a sound schema");
        Self { root, validator }
    }

    /// All faults of `document`, each with its place.
    pub(super) fn faults(&self, document: &Value) -> Vec<String> {
        let faults = self.validator.iter_errors(document);
        faults.map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
    }

    /// Every object that refuses unknown keys, by its place, with its keys.
    pub(super) fn objects(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut found = BTreeMap::new();
        let mut open = vec![String::new()];
        while let Some(place) = open.pop() {
            let schema = self.at(&place);
            if schema["additionalProperties"] == json!(false) {
                let keys = schema["properties"].as_object().expect("keys").keys().cloned();
                found.insert(place.clone(), keys.collect());
            }
            match schema {
                Value::Object(inner) => {
                    open.extend(inner.keys().map(|key| format!("{place}/{key}")));
                }
                Value::Array(inner) => {
                    open.extend((0..inner.len()).map(|at| format!("{place}/{at}")));
                }
                _ => {}
            }
        }
        found
    }

    /// Every mapping of the valid `document` whose keys the schema names.
    pub(super) fn mappings(&self, document: &Value) -> Vec<DescribedMapping> {
        let mut found = Vec::new();
        self.walk("", document, "", &mut found);
        found
    }

    fn walk(&self, object: &str, value: &Value, place: &str, found: &mut Vec<DescribedMapping>) {
        let object = self.resolve(object, value);
        let schema = self.at(&object);
        match value {
            Value::Object(entries) => {
                let properties = &schema["properties"];
                if properties.is_object() {
                    found
                        .push(DescribedMapping { place: place.to_owned(), object: object.clone() });
                }
                for (key, value) in entries {
                    let below = match properties.get(key) {
                        Some(_) => format!("{object}/properties/{key}"),
                        None => format!("{object}/additionalProperties"),
                    };
                    let key = key.replace('~', "~0").replace('/', "~1");
                    self.walk(&below, value, &format!("{place}/{key}"), found);
                }
            }
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.walk(&format!("{object}/items"), item, &format!("{place}/{at}"), found);
                }
            }
            _ => {}
        }
    }

    /// The place where `value` is described in the end, behind references and conditions.
    fn resolve(&self, object: &str, value: &Value) -> String {
        let schema = self.at(object);
        let next = if let Some(reference) = schema["$ref"].as_str() {
            reference.trim_start_matches('#').to_owned()
        } else if let Some(condition) = schema.get("if") {
            let branch = if self.is_valid(condition, value) { "then" } else { "else" };
            format!("{object}/{branch}")
        } else if schema.get("properties").is_none() && schema.get("allOf").is_some() {
            format!("{object}/allOf/0")
        } else {
            return object.to_owned();
        };
        self.resolve(&next, value)
    }

    fn is_valid(&self, condition: &Value, value: &Value) -> bool {
        let schema = json!({"definitions": self.root["definitions"], "allOf": [condition]});
        jsonschema::is_valid(&schema, value)
    }

    fn at(&self, place: &str) -> &Value {
        self.root.pointer(place).unwrap_or_else(|| panic!("the schema has no {place}"))
    }
}
