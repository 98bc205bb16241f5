//! Outcomes of answers, and secrets of addresses.

use rstest::rstest;

use super::*;
use tidings_rules::story::NotifierName;

fn now() -> Timestamp {
    "2026-03-12T13:20:00Z".parse().unwrap()
}

fn outcome_of(code: u16, headers: &[(&'static str, &'static str)], body: &str) -> Outcome {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_static(value)))
        .collect();
    let receiver = Receiver { notifier: NotifierName("ops".to_owned()), recipient: String::new() };
    let status = StatusCode::from_u16(code).unwrap();
    outcome_of_answer(
        status,
        &headers,
        body,
        &receiver,
        requested_wait::requested_wait(status, &headers, body, now()),
    )
}

#[rstest]
#[case(200, "200 OK")]
#[case(202, "202 Accepted")]
#[case(204, "204 No Content")]
fn any_2xx_is_success(#[case] code: u16, #[case] answer: &str) {
    assert_eq!(outcome_of(code, &[], "thank you"), Outcome::Delivered(answer.to_owned()));
}

#[rstest]
#[case::busy(&[408, 429], FailureCause::Busy, FailureScope::Notifier)]
#[case::away_behind_its_gateway(&[502, 503], FailureCause::Shut, FailureScope::Notifier)]
#[case::redeployed_or_moved(&[301, 302, 307, 308, 401, 403, 404, 405, 406, 407, 412, 421, 423, 425, 426, 451], FailureCause::Shut, FailureScope::Notifier)]
#[case::failed(&[500, 504, 507, 599], FailureCause::Failed, FailureScope::Notifier)]
#[case::about_the_message(&[400, 409, 415, 422, 431], FailureCause::Failed, FailureScope::Message)]
fn every_other_status_is_retried(
    #[case] codes: &[u16],
    #[case] cause: FailureCause,
    #[case] scope: FailureScope,
) {
    for code in codes {
        let Outcome::Retry(retry) = outcome_of(*code, &[], "try later") else { panic!("{code}") };
        assert_eq!(
            (retry.cause, retry.scope, retry.requested_wait),
            (cause, scope, None),
            "{code}"
        );
        assert!(retry.why.contains(&code.to_string()), "{}", retry.why);
    }
}

#[rstest]
#[case("120", Some(120))]
#[case("Thu, 12 Mar 2026 13:25:00 GMT", Some(300))]
#[case("Thu, 12 Mar 2026 13:00:00 GMT", Some(0))]
#[case("soon", None)]
fn a_requested_wait_is_passed_on(#[case] wait: &'static str, #[case] seconds: Option<u64>) {
    let Outcome::Retry(RetryReason { requested_wait, .. }) =
        outcome_of(503, &[("retry-after", wait)], "")
    else {
        panic!("no retry")
    };
    assert_eq!(requested_wait, seconds.map(Duration::from_secs));
}

#[test]
fn too_large_has_its_own_outcome_because_a_digest_can_be_halved() {
    let why = "the server answered 413 Payload Too Large: 100 kB at most".to_owned();
    assert_eq!(outcome_of(413, &[], "100 kB at most"), Outcome::TooLarge(why));
}

#[test]
fn gone_is_gone() {
    let why = "the server answered 410 Gone: moved on, so the address is no longer used; \
               write the new address as the `url` of `ops` under `notifiers`, or remove it";
    assert_eq!(outcome_of(410, &[], "moved on"), Outcome::Gone(why.to_owned()));
}

#[test]
fn a_redirect_is_not_followed_and_the_new_path_is_not_shown() {
    let to = [("location", "https://hooks.example.org/T1/s3cret?token=x")];
    let expected = "the server answered 308 Permanent Redirect and redirects to https://hooks.example.org, which is not followed; \
                    write the new address as the `url` of `ops` under `notifiers`";
    let Outcome::Retry(RetryReason { why, .. }) = outcome_of(308, &to, "") else {
        panic!("not put off")
    };
    assert_eq!(why, expected);
}

#[test]
fn nothing_of_path_query_and_login_is_shown() {
    let url: Url = "https://user:p4ssw0rd@example.org/services/T0001/a%20token?key=s3cret%2B&b=1"
        .parse()
        .unwrap();
    for echo in [
        "/services/T0001/a%20token",
        "a token",
        "T0001",
        "s3cret+",
        "s3cret%2B",
        "p4ssw0rd",
        "?key=s3cret%2B&b=1",
    ] {
        let shown = sanitize_reply(&format!("no {echo} here"), &secrets::address_secrets(&url));
        assert!(shown.starts_with("no [") || shown.starts_with("no ?["), "{shown}");
        assert!(
            !["T0001", "token", "s3cret", "p4ssw0rd"].iter().any(|secret| shown.contains(secret)),
            "{shown}"
        );
    }
}
