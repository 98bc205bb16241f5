//! Whether a page says in its metadata that its article is not free (schema.org,
//! `isAccessibleForFree`).

use serde_json::Value;

/// The name of the property.
pub(super) const PROPERTY: &str = "isAccessibleForFree";

/// The deepest value that is searched.
const DEEPEST: usize = 8;

/// Whether a value of the property says that something is not free.
pub(super) fn says_no(value: &str) -> bool {
    let value = value.trim().rsplit('/').next().unwrap_or_default();
    ["false", "no", "0"].iter().any(|no| value.eq_ignore_ascii_case(no))
}

/// Whether a script of linked data (JSON-LD) says that the page's article, or a part of it, is not
/// free. What it says of other articles that it lists does not count.
pub(super) fn is_sold(script: &str) -> bool {
    if !script.contains(PROPERTY) {
        return false;
    }
    match serde_json::from_str(&repaired(script)) {
        Ok(value) => holds_sold(&value, 0),
        Err(_) => is_sold_by_text(script),
    }
}

/// The script without the comments around it and the line breaks within its texts, which JSON
/// forbids and browsers' readers bear.
fn repaired(script: &str) -> String {
    let bare = script.trim().trim_start_matches("<!--").trim_end_matches("-->");
    let bare = bare.trim().trim_start_matches("//<![CDATA[").trim_end_matches("//]]>");
    let bare = bare.trim().trim_end_matches(';');
    bare.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn holds_sold(value: &Value, depth: usize) -> bool {
    match value {
        _ if depth > DEEPEST => false,
        Value::Array(all) => all.iter().any(|one| holds_sold(one, depth + 1)),
        Value::Object(object) => {
            let is_sold = object.get(PROPERTY).is_some_and(|value| match value {
                Value::Bool(free) => !free,
                Value::String(text) => says_no(text),
                _ => false,
            });
            // Lists of other articles have other keys: `itemListElement`, `mentions`.
            let parts =
                ["@graph", "mainEntity", "hasPart"].iter().filter_map(|key| object.get(*key));
            is_sold || parts.into_iter().any(|part| holds_sold(part, depth + 1))
        }
        _ => false,
    }
}

/// Reads what is no JSON.
fn is_sold_by_text(script: &str) -> bool {
    script.match_indices(PROPERTY).any(|(at, name)| {
        let value = script[at + name.len()..]
            .trim_start_matches(|c: char| c.is_whitespace() || "\"':".contains(c));
        value.get(..5).is_some_and(|value| value.eq_ignore_ascii_case("false"))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"@type":"NewsArticle","isAccessibleForFree":false}"#, true)]
    #[case(r#"{"@type":"NewsArticle","isAccessibleForFree":"False"}"#, true)]
    #[case(r#"{"isAccessibleForFree":"http://schema.org/False"}"#, true)]
    #[case(r#"{"isAccessibleForFree":true}"#, false)]
    #[case(r#"[{"@type":"WebSite"},{"isAccessibleForFree":"no"}]"#, true)]
    #[case(r#"{"@graph":[{"@type":"WebPage"},{"isAccessibleForFree":false}]}"#, true)]
    #[case(r#"{"hasPart":[{"isAccessibleForFree":false,"cssSelector":".paid"}]}"#, true)]
    #[case(r#"{"mainEntity":{"isAccessibleForFree":false}}"#, true)]
    #[case(r#"{"itemListElement":[{"item":{"isAccessibleForFree":false}}]}"#, false)]
    #[case(r#"{"mentions":{"isAccessibleForFree":false}}"#, false)]
    #[case("{\"headline\":\"Two\nlines\",\"isAccessibleForFree\":false};", true)]
    #[case("//<![CDATA[\n{\"isAccessibleForFree\":false}\n//]]>", true)]
    #[case("<!-- {\"isAccessibleForFree\":false} -->", true)]
    #[case("{'isAccessibleForFree': 'False', }", true)]
    #[case("{broken, isAccessibleForFree: true}", false)]
    #[case("{}", false)]
    fn an_article_that_is_not_free_says_so(#[case] script: &str, #[case] sold: bool) {
        assert_eq!(is_sold(script), sold);
    }

    #[rstest]
    #[case("False", true)]
    #[case(" https://schema.org/False ", true)]
    #[case("true", false)]
    #[case("", false)]
    fn a_value_says_no_in_several_ways(#[case] value: &str, #[case] no: bool) {
        assert_eq!(says_no(value), no);
    }
}
