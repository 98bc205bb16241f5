//! Renders a view as HTML for mail programs, with a template that escapes all values.

use minijinja::Environment;
use minijinja::value::Serde;

use crate::notify::view::message_view::MessageView;

const NAME: &str = "email.html";

/// Renders the view as an HTML document.
///
/// # Errors
/// The template fails.
pub(super) fn render_html(view: &MessageView) -> Result<String, String> {
    let failed = |error: minijinja::Error| format!("the mail's HTML cannot be written: {error}");
    let mut templates = Environment::new();
    // The ending `.html` turns on escaping.
    templates.add_template(NAME, include_str!("../email.html")).map_err(failed)?;
    templates.get_template(NAME).and_then(|template| template.render(Serde(view))).map_err(failed)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::notify::fixture;
    use crate::notify::view::build_view;

    fn html_of(notification: &crate::alerts::Notification) -> String {
        render_html(&build_view(notification, &TimeZone::UTC)).unwrap()
    }

    #[test]
    fn an_alert_with_all_that_it_can_have() {
        assert_snapshot!(html_of(&fixture::alert()));
    }

    #[test]
    fn a_story_of_which_a_part_was_read() {
        assert_snapshot!(html_of(&fixture::partial_alert()));
    }

    #[test]
    fn a_digest() {
        assert_snapshot!(html_of(&fixture::digest(crate::alerts::digest::DigestReason::Late)));
    }

    #[test]
    fn a_fired_digest() {
        assert_snapshot!(html_of(&fixture::fired_digest()));
    }

    #[test]
    fn an_alert_says_how_conditions_were_met() {
        let html = html_of(&fixture::conditional_alert());
        for said in [
            "first source in 30d (new source: wire.example)",
            "3 publishers within 6h (met before)",
        ] {
            assert!(html.contains(said), "{html}");
        }
    }

    #[test]
    fn a_test() {
        assert_snapshot!(html_of(&fixture::test_message()));
    }

    #[test]
    fn markup_in_a_title_stays_text() {
        let html = html_of(&fixture::alert_with_title("<script>alert('x')</script> & \"more\""));
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }

    #[test]
    fn only_web_addresses_become_links() {
        for (url, linked) in [
            ("https://wire.example/?a=1&b=\"2\"", true),
            ("http://wire.example/", true),
            ("javascript:alert(1)", false),
            ("file:///etc/passwd", false),
        ] {
            let mut notification = fixture::alert_with_title("A title");
            if let crate::alerts::Content::Alert { story, .. } = &mut notification.content {
                story.url = Some(url.to_owned());
            }
            let html = html_of(&notification);
            assert_eq!(html.contains("href="), linked, "{html}");
            assert!(!html.contains("b=\"2"), "{html}");
        }
    }
}
