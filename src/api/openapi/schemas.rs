//! The schemas that the document's operations refer to, each once, by name.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::ToSchema;

#[derive(Default)]
pub struct Schemas(BTreeMap<String, Value>);

/// Makes a schema, of which the parts that have names are kept.
pub type Maker = fn(&mut Schemas) -> Value;

/// An object of an answer.
pub fn row<T: ToSchema>(schemas: &mut Schemas) -> Value {
    schemas.refer::<T>(whole)
}

pub fn rows<T: ToSchema>(schemas: &mut Schemas) -> Value {
    json!({ "type": "array", "items": row::<T>(schemas) })
}

pub fn row_or_null<T: ToSchema>(schemas: &mut Schemas) -> Value {
    json!({ "oneOf": [row::<T>(schemas), { "type": "null" }] })
}

/// The body of a request.
pub fn body<T: ToSchema>(schemas: &mut Schemas) -> Value {
    schemas.refer::<T>(closed)
}

pub fn text(_: &mut Schemas) -> Value {
    json!({ "type": "string" })
}

pub fn text_or_null(_: &mut Schemas) -> Value {
    json!({ "type": ["string", "null"] })
}

pub fn anything(_: &mut Schemas) -> Value {
    json!({})
}

pub fn uuid(_: &mut Schemas) -> Value {
    json!({ "type": "string", "format": "uuid" })
}

pub fn time_or_null(_: &mut Schemas) -> Value {
    json!({ "type": ["string", "null"], "format": "date-time" })
}

pub fn count(_: &mut Schemas) -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

pub fn flag(_: &mut Schemas) -> Value {
    json!({ "type": "boolean" })
}

impl Schemas {
    fn refer<T: ToSchema>(&mut self, finish: fn(&mut Value)) -> Value {
        let mut found = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut found);
        for (name, schema) in found {
            self.0.entry(name).or_insert_with(|| {
                let mut value = serde_json::to_value(schema).unwrap_or_default();
                finish(&mut value);
                value
            });
        }
        json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
    }

    pub fn into_map(self) -> BTreeMap<String, Value> {
        self.0
    }
}

/// Calls something with every object in a schema that is written out in place.
fn objects(schema: &mut Value, change: fn(&mut Value)) {
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        objects(part, change);
    }
    // A map has its own rule for what it holds.
    if schema["type"] == "object" && schema.get("additionalProperties").is_none() {
        change(schema);
    }
}

/// Answers have all their fields, some of them null. What may be left out is never null.
fn whole(schema: &mut Value) {
    objects(schema, |object| {
        let always = object["required"].as_array().cloned().unwrap_or_default();
        let has = |name: &str, field: &Value| may_be_null(field) || always.iter().any(|n| n == name);
        let names: Vec<_> =
            object["properties"].as_object().into_iter().flatten().filter(|(name, field)| has(name, field)).map(|(name, _)| name.clone()).collect();
        object["required"] = json!(names);
    });
}

fn may_be_null(field: &Value) -> bool {
    let is_null = |t: &Value| t == "null";
    field["type"].as_array().is_some_and(|all| all.iter().any(is_null)) || field["oneOf"].as_array().is_some_and(|all| all.iter().any(|o| is_null(&o["type"])))
}

/// Requests have no field that is not named.
fn closed(schema: &mut Value) {
    objects(schema, |object| object["additionalProperties"] = json!(false));
}
