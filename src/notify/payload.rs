//! A notification as one line of JSON: what webhooks get and the console's JSON Lines are.

use serde::Serialize;

use crate::alerts::Notification;
use crate::notify::printable::escape_unprintable;

/// Which schema payloads are of: that in `docs/payload.schema.json`. It grows by additions alone;
/// another number would mean that something was taken away or has another meaning.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Payload<'l> {
    schema: u32,
    #[serde(flatten)]
    notification: &'l Notification,
}

/// The notification as one line of JSON, without a line break at its end. Every character in it can
/// be printed: what could steer a terminal or turn the direction of writing is escaped, beyond what
/// RFC 8259 asks for.
///
/// # Errors
/// Where the notification cannot be put into JSON.
pub(super) fn to_json_line(notification: &Notification) -> Result<Vec<u8>, String> {
    let json = serde_json::to_string(&Payload { schema: SCHEMA, notification })
        .map_err(|error| format!("the message cannot be put into JSON: {error}"))?;
    Ok(escape_unprintable(&json).into_bytes())
}

/// The same as a value.
///
/// # Errors
/// Where the notification cannot be put into JSON.
pub(super) fn to_json_value(notification: &Notification) -> Result<serde_json::Value, String> {
    serde_json::to_value(Payload { schema: SCHEMA, notification })
        .map_err(|error| error.to_string())
}

/// The notification that `write` wrote. `None` for anything else, such as what another version of
/// Tidings wrote.
pub(super) fn from_json_line(line: &[u8]) -> Option<Notification> {
    serde_json::from_slice(line).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::notify::fixture;
    use crate::notify::printable::is_unprintable;

    proptest! {
        #[test]
        fn a_letter_comes_back_as_it_was_from_one_line_that_can_be_printed(title in any::<String>()) {
            let notification = fixture::alert_with_title(&title);
            let line = to_json_line(&notification).unwrap();
            prop_assert!(!std::str::from_utf8(&line).unwrap().contains(is_unprintable));
            prop_assert_eq!(from_json_line(&line), Some(notification));
        }
    }

    #[test]
    fn a_notice_says_what_happened_to_whom() {
        let line = to_json_line(&fixture::notice(crate::alerts::notice::NoticeKind::Down)).unwrap();
        let expected = r#"{"schema":1,"id":"0f6e1d4c-1111-4aaa-8bbb-000000000002","created":"2026-03-12T13:21:00Z","sent":"2026-03-12T13:21:00Z","type":"notice","kind":"down","notifier":"ops","since":"2026-03-12T12:21:00Z","why":"the server answered 503 Service Unavailable"}"#;
        assert_eq!(std::str::from_utf8(&line), Ok(expected));
    }

    #[test]
    fn a_test_has_its_type_and_nothing_of_a_story() {
        let line = to_json_line(&fixture::test_message()).unwrap();
        let expected = r#"{"schema":1,"id":"0f6e1d4c-1111-4aaa-8bbb-000000000002","created":"2026-03-12T13:21:00Z","sent":"2026-03-12T13:21:00Z","type":"test"}"#;
        assert_eq!(std::str::from_utf8(&line), Ok(expected));
    }
}
