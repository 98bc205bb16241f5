//! A notification as one line of JSON, for webhooks and for the console's JSON Lines.

use serde::Serialize;

use crate::alerts::Notification;
use crate::notify::printable::escape_unprintable;

/// The schema of payloads, in `docs/payload.schema.json`. Keys may be added under the same number.
/// The number changes when a key is removed or changes its meaning.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Payload<'l> {
    schema: u32,
    #[serde(flatten)]
    notification: &'l Notification,
}

/// Writes the notification as one line of JSON, without a line break at its end. Control characters
/// and characters that change the writing direction are escaped, beyond what RFC 8259 requires.
///
/// # Errors
/// The notification cannot be put into JSON.
pub(super) fn to_json_line(notification: &Notification) -> Result<Vec<u8>, String> {
    let json = serde_json::to_string(&Payload { schema: SCHEMA, notification })
        .map_err(|error| format!("the message cannot be put into JSON: {error}"))?;
    Ok(escape_unprintable(&json).into_bytes())
}

/// The payload as a JSON value.
///
/// # Errors
/// The notification cannot be put into JSON.
pub(super) fn to_json_value(notification: &Notification) -> Result<serde_json::Value, String> {
    serde_json::to_value(Payload { schema: SCHEMA, notification })
        .map_err(|error| error.to_string())
}

/// Reads a notification that `to_json_line` wrote. `None` for anything else, such as a line that
/// another version of Tidings wrote.
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
        fn a_notification_survives_one_printable_line(title in any::<String>()) {
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
