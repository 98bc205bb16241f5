//! The mark in a headline: the copy is corrected, updated or sent again. Pure.

use serde::{Deserialize, Serialize};

/// The kind of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "what", content = "number")]
pub enum CopyMark {
    /// `CORRECTED`, `CORRECTION`, or a text that begins with `(Corrects`.
    Corrected,
    /// `REFILE`, `RPT`, `REPEAT`.
    Repeated,
    /// `UPDATE 2` and other version numbers; 0 without a number.
    Updated(u32),
}

/// Signs between a mark and the headline after it.
const PARTS: [char; 9] = [' ', '-', ':', '–', '—', '*', '(', ')', '|'];

/// The mark of a headline, and the headline without it.
pub(super) fn split_mark(title: &str) -> (Option<CopyMark>, &str) {
    let title = title.trim_start_matches(['*', '(', '[', ' ']);
    let end = title.find(|c: char| !c.is_alphabetic()).unwrap_or(title.len());
    let (word, rest) = title.split_at(end);
    let parted = rest.starts_with(PARTS) || rest.starts_with(']');
    let behind =
        |rest: &'_ str| rest.trim_start_matches(PARTS).trim_start_matches([']', ' ']).len();
    let at = |left: usize| &title[title.len() - left..];
    let sign = rest.trim_start().starts_with(['-', ':', '–', '—', ')', ']', '(']);
    match word {
        "UPDATE" | "Update" | "WRAPUP" | "update" if parted => {
            let number = rest.trim_start();
            let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
            match number[..digits].parse() {
                Ok(n) => (Some(CopyMark::Updated(n)), at(behind(&number[digits..]))),
                Err(_) if sign => (Some(CopyMark::Updated(0)), at(behind(rest))),
                Err(_) => (None, title),
            }
        }
        "CORRECTED" | "CORRECTION" | "CORRECTS" if parted => {
            (Some(CopyMark::Corrected), at(behind(rest)))
        }
        "Corrected" | "Correction" | "Corrects" if parted && sign => {
            (Some(CopyMark::Corrected), at(behind(rest)))
        }
        "REFILE" | "RPT" | "REPEAT" | "REPEATING" if parted => {
            (Some(CopyMark::Repeated), at(behind(rest)))
        }
        _ => (None, title),
    }
}

/// The mark at the beginning of a text.
pub(super) fn find_in_text(text: &str) -> Option<CopyMark> {
    let start = text.trim_start().trim_start_matches(['(', '[']);
    let corrects = ["Corrects ", "CORRECTED", "CORRECTION", "Corrected:", "Correction:"];
    corrects.iter().any(|word| start.starts_with(word)).then_some(CopyMark::Corrected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_headline_that_begins_with_the_word_of_a_mark_has_no_mark() {
        for (title, mark, rest) in [
            ("UPDATE 2-Shells found at port", Some(CopyMark::Updated(2)), "Shells found at port"),
            ("UPDATE 12 - Shells found", Some(CopyMark::Updated(12)), "Shells found"),
            ("Update: Shells found", Some(CopyMark::Updated(0)), "Shells found"),
            ("CORRECTED-Shells found", Some(CopyMark::Corrected), "Shells found"),
            ("(CORRECTED) Shells found", Some(CopyMark::Corrected), "Shells found"),
            ("Correction: Shells found", Some(CopyMark::Corrected), "Shells found"),
            ("REFILE-Shells found", Some(CopyMark::Repeated), "Shells found"),
            ("RPT-Shells found", Some(CopyMark::Repeated), "Shells found"),
            ("Update on shells at port", None, "Update on shells at port"),
            ("Correction facility burns", None, "Correction facility burns"),
            ("Shells found", None, "Shells found"),
            ("", None, ""),
        ] {
            assert_eq!(split_mark(title), (mark, rest), "{title}");
        }
        assert_eq!(
            find_in_text("(Corrects number of dead in paragraph 2)\n\nA"),
            Some(CopyMark::Corrected)
        );
        assert_eq!(find_in_text("Correcting the record"), None);
    }
}
