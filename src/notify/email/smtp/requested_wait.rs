//! Reads how long a server asks us to wait, from the text of its reply: "try again in 300 seconds".

use std::time::Duration;

/// Words after which a duration is a wait.
const WAIT_VERBS: [&str; 7] = ["again", "retry", "wait", "back", "resend", "retried", "reconnect"];

/// The largest number of words between such a word and the number.
const MAX_WORDS_BETWEEN: usize = 3;

/// The wait in `text`, if it is clear: a number and a unit soon after a word such as "again".
pub(super) fn requested_wait(text: &str) -> Option<Duration> {
    let text = text.to_ascii_lowercase();
    // A word such as "again" refers to its own sentence only.
    text.split(['.', ';', '!']).find_map(|sentence| {
        let words = split_words(sentence);
        let verbs = words.iter().enumerate().filter(|(_, word)| WAIT_VERBS.contains(word));
        verbs.map(|(at, _)| &words[at + 1..]).find_map(wait_after_verb)
    })
}

/// Runs of letters and runs of digits: `300s` is two words.
fn split_words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .flat_map(|word| {
            let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
            [&word[..digits], &word[digits..]]
        })
        .filter(|word| !word.is_empty())
        .collect()
}

fn wait_after_verb(words: &[&str]) -> Option<Duration> {
    let at = words
        .iter()
        .take(MAX_WORDS_BETWEEN + 1)
        .position(|word| word.bytes().all(|byte| byte.is_ascii_digit()))?;
    let number: u64 = words[at].parse().ok()?;
    let seconds = match *words.get(at + 1)? {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("4.7.1 Greylisted, please try again in 300 seconds", Some(300))]
    #[case("Try again in 10 minutes.", Some(600))]
    #[case("4.7.0 too many; retry after 1 hour", Some(3600))]
    #[case("please wait at least 90s before the next mail", Some(90))]
    #[case("come back in 5 min", Some(300))]
    #[case("Please try again later", None)]
    #[case("You sent 10 mails in 60 seconds. Try again later", None)]
    #[case("try again later; the limit is 10 messages in 60 seconds", None)]
    #[case("try again, id 4711", None)]
    #[case("try again in 99999999999999999999 seconds", None)]
    #[case("try again in 5 parsecs", None)]
    #[case("", None)]
    fn a_clear_wait_is_read(#[case] text: &str, #[case] seconds: Option<u64>) {
        assert_eq!(requested_wait(text), seconds.map(Duration::from_secs));
    }
}
