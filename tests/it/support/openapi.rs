//! The published description of the API. Every answer must be what it says, without further keys.

use serde_json::{Value, json};

use crate::support::schema::{faults, validator};

/// `docs/openapi.yaml`.
pub struct Api(Value);

impl Api {
    pub fn published() -> Self {
        let text = include_str!("../../../docs/openapi.yaml");
        Self(serde_yaml::from_str(text).expect("YAML"))
    }

    /// The paths, each with its methods.
    pub fn operations(&self) -> Vec<(String, String)> {
        let paths = self.0["paths"].as_object().expect("paths");
        let operations = paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods");
            methods.keys().map(move |method| (method.to_uppercase(), path.clone()))
        });
        operations.collect()
    }

    /// Fails unless the description of `method` at `path` has this answer.
    pub fn hold(&self, method: &str, path: &str, status: u16, content_type: &str, body: &Value) {
        let responses = &self.operation(method, path)["responses"];
        let described = responses.get(status.to_string()).unwrap_or(&responses["default"]);
        let described = match described.get("$ref").and_then(Value::as_str) {
            Some(name) => self.0.pointer(&name[1..]).expect("a response"),
            None => described,
        };
        let schema = &described["content"][content_type]["schema"];
        assert!(schema.is_object(), "{method} {path}: {status} is no {content_type}: {body}");
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "unevaluatedProperties": false,
            "components": self.0["components"],
        });
        let faults = faults(&validator(&schema), body);
        assert!(faults.is_empty(), "{method} {path}: {faults:#?}\n{body:#}");
    }

    fn operation(&self, method: &str, path: &str) -> &Value {
        let path = path.split('?').next().unwrap_or_default();
        let is_meant = |described: &&String| {
            let (described, path) = (described.split('/'), path.split('/'));
            described.clone().count() == path.clone().count()
                && described.zip(path).all(|(one, other)| one.starts_with('{') || one == other)
        };
        let paths = self.0["paths"].as_object().expect("paths");
        let mut found: Vec<&String> = paths.keys().filter(is_meant).collect();
        // A path without parameters comes first.
        found.sort_by_key(|path| path.matches('{').count());
        let found = found.first().unwrap_or_else(|| panic!("{path} is not described"));
        &paths[*found][method.to_lowercase()]
    }
}
