//! Reads the file of access tokens, each with its role and its name: `web.auth.tokens_file`.

use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::access::{AccessToken, VisitorRole};
use crate::config::reader::ConfigReader;
use tidings_rules::fault::{Fault, Level, Source, nearest};
use tidings_rules::yaml::Node;

/// The largest file of tokens, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// The longest name of a token, in characters.
const LONGEST_NAME: usize = 100;

const WORDS: &str = "write a role, a name, and the SHA-256 of the token in hex, with blanks between: read ana 9f86…";

/// What people put into `sha256sum` by mistake, instead of a token.
const NO_TOKENS: [&str; 2] = ["", "\n"];

/// The tokens of the file that `node` names.
pub(super) fn tokens(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<Vec<AccessToken>> {
    let path = reader.string(node)?;
    let read = reader.read_text(&path, LARGEST_FILE).map_err(|why| {
        let help = "it must be a file that Tidings may read";
        reader.error(node, format!("the file of tokens cannot be read: {why}"), help);
    });
    let text = read.ok()?;
    let name = reader.base.join(&path).display().to_string();
    let (tokens, faults) = parse(name, &text);
    let is_sound = faults.iter().all(|fault| fault.level < Level::Error);
    reader.file_faults.extend(faults);
    is_sound.then_some(tokens)
}

/// The tokens of a file, and its faults.
fn parse(name: String, text: &str) -> (Vec<AccessToken>, Vec<Fault>) {
    let source = Arc::new(Source { name, text: masked(text) });
    let (mut tokens, mut faults): (Vec<AccessToken>, _) = (Vec::new(), Vec::new());
    for line in lines(text) {
        match token(text, &line, &source) {
            Ok(token) if tokens.iter().any(|other| other.digest == token.digest) => {
                let fault = Fault::error(&source, place(&line), "this token stands here twice");
                faults.push(fault.help("keep one of the two lines"));
            }
            Ok(token) => {
                if tokens.iter().any(|other| other.name == token.name) {
                    let fault =
                        Fault::warning(&source, line[1].clone(), "two tokens have this name");
                    faults.push(fault.help("remove the line of the old token"));
                }
                tokens.push(token);
            }
            Err(fault) => faults.push(fault),
        }
    }
    if tokens.is_empty() && faults.is_empty() {
        let fault = Fault::warning(&source, 0..0, "there are no tokens, so that nobody may enter");
        faults.push(fault.help(WORDS));
    }
    (tokens, faults)
}

/// The places of the words of each line that is neither empty nor a comment.
fn lines(text: &str) -> Vec<Vec<Range<usize>>> {
    let start_of = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
    let words = |line: &str| -> Vec<Range<usize>> {
        let words = line.split_whitespace();
        words.map(|word| start_of(word)..start_of(word) + word.len()).collect()
    };
    let lines = text.trim_start_matches('\u{feff}').lines();
    lines
        .filter(|line| !line.trim_start().starts_with('#'))
        .map(words)
        .filter(|words| !words.is_empty())
        .collect()
}

/// The place of a line with these words, of which there is one at least.
fn place(words: &[Range<usize>]) -> Range<usize> {
    words[0].start..words[words.len() - 1].end
}

fn token(text: &str, words: &[Range<usize>], source: &Arc<Source>) -> Result<AccessToken, Fault> {
    let fault = |at: &Range<usize>, message: &str, help: String| {
        Err(Fault::error(source, at.clone(), message).help(help))
    };
    let [role, name, digest] = words else {
        return fault(
            &place(words),
            "this is not a token with its role and name",
            WORDS.to_owned(),
        );
    };
    let Some(found) = visitor_role(&text[role.clone()]) else {
        let help = match nearest(&text[role.clone()], ["read", "write"]) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "a line begins with `read` or `write`".to_owned(),
        };
        return fault(role, "this is not a role", help);
    };
    let (at, name) = (name, &text[name.clone()]);
    if name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        return fault(at, "this cannot be a name", "write a short word".to_owned());
    }
    let mut bytes = [0; 32];
    if hex::decode_to_slice(&text[digest.clone()], &mut bytes).is_err() {
        let help = "write what `printf %s TOKEN | sha256sum` prints: 64 digits".to_owned();
        return fault(digest, "this is not a SHA-256 in hex", help);
    }
    if NO_TOKENS.iter().any(|nothing| Sha256::digest(nothing)[..] == bytes) {
        let help = "write what `printf %s TOKEN | sha256sum` prints for a token".to_owned();
        return fault(digest, "this is the SHA-256 of an empty text", help);
    }
    Ok(AccessToken { role: found, name: name.to_owned(), digest: bytes })
}

fn visitor_role(word: &str) -> Option<VisitorRole> {
    match word {
        "read" => Some(VisitorRole::Read),
        "write" => Some(VisitorRole::Write),
        _ => None,
    }
}

/// The text as faults show it, without what may be a token: only roles, names before a third word,
/// and comments are left. Places stay.
fn masked(text: &str) -> String {
    let mut shown = text.as_bytes().to_vec();
    for words in lines(text) {
        for (number, word) in words.iter().enumerate() {
            let is_shown = match number {
                0 => visitor_role(&text[word.clone()]).is_some(),
                1 => words.len() == 3,
                _ => false,
            };
            if !is_shown {
                shown[word.clone()].fill(b'*');
            }
        }
    }
    String::from_utf8(shown).expect("whole words are replaced")
}
