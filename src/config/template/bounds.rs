//! Limits the nesting and the chains of a template before it is parsed, because the template parser
//! recurses for each step of a chain. Pure.

/// The most operators of one chain, with those of the chains around it.
const MOST_OPERATORS: usize = 250;

/// The most `elif` branches of an `if`, with those of the blocks around it.
const MOST_BRANCHES: usize = 250;

/// The longest line, in bytes. The parser counts columns in 16 bits.
const LONGEST_LINE: usize = 65_535;

/// Words that are operators in an expression.
const WORDS: [&str; 7] = ["and", "else", "if", "in", "is", "not", "or"];

/// An error is the reason why the template is refused, with its line.
pub(super) fn check(source: &str) -> Result<(), String> {
    if let Some(at) = source.lines().position(|line| line.len() > LONGEST_LINE) {
        return Err(format!("line {} is longer than {LONGEST_LINE} bytes; break it", at + 1));
    }
    let mut scan = TemplateScan { source, at: 0, branches: Vec::new() };
    while let Some(start) = scan.next_tag() {
        scan.tag(start)?;
    }
    Ok(())
}

struct TemplateScan<'s> {
    source: &'s str,
    /// The number of bytes that were read.
    at: usize,
    /// The number of `elif` branches of each open `if`.
    branches: Vec<usize>,
}

/// The parts of a tag that the limits count.
enum TagToken<'s> {
    Word(&'s str),
    Open,
    Close,
    Comma,
    Operator,
    /// `*`, which can make lists of any length.
    Times,
    Literal,
    /// A string in quotes.
    Text,
}

impl<'s> TemplateScan<'s> {
    /// The start of the next tag that is not a comment.
    fn next_tag(&mut self) -> Option<usize> {
        loop {
            let start = self.at + self.source[self.at..].find('{')?;
            let rest = &self.source[start..];
            if let Some(comment) = rest.strip_prefix("{#") {
                self.at = start + 2 + comment.find("#}")? + 2;
            } else if rest.starts_with("{{") || rest.starts_with("{%") {
                self.at = start + 2;
                return Some(start);
            } else {
                self.at = start + 1;
            }
        }
    }

    /// Reads a tag from its opening to its end.
    fn tag(&mut self, start: usize) -> Result<(), String> {
        let is_block = self.source[start..].starts_with("{%");
        let end = if is_block { "%}" } else { "}}" };
        if self.rest().starts_with(['-', '+']) {
            self.at += 1;
        }
        // The operators since the last comma, for each open bracket.
        let mut chains = vec![0];
        let (mut is_first, mut was_text) = (is_block, false);
        while !self.ends_at(end, chains.len()) {
            let Some(token) = self.token() else { return Ok(()) };
            let is_keyword = std::mem::take(&mut is_first);
            let is_after_text = std::mem::replace(&mut was_text, matches!(token, TagToken::Text));
            match token {
                TagToken::Word(word) if is_keyword => {
                    self.branch(word, start)?;
                    if word == "raw" {
                        self.skip_raw();
                        return Ok(());
                    }
                }
                TagToken::Word(word) if !WORDS.contains(&word) => {}
                TagToken::Literal | TagToken::Text => {}
                TagToken::Times if !is_after_text => {
                    return Err(self.refusal(
                        start,
                        "`*` repeats only a text that stands before it in quotes",
                        "write '-' * 40",
                    ));
                }
                TagToken::Comma => *last(&mut chains) = 0,
                TagToken::Close => chains.truncate((chains.len() - 1).max(1)),
                TagToken::Open => {
                    *last(&mut chains) += 1;
                    chains.push(0);
                }
                TagToken::Word(_) | TagToken::Operator | TagToken::Times => *last(&mut chains) += 1,
            }
            if chains.iter().sum::<usize>() > MOST_OPERATORS {
                return Err(self.refusal(
                    start,
                    &format!("an expression has more than {MOST_OPERATORS} operators in a row"),
                    "split it with {% set %}",
                ));
            }
        }
        Ok(())
    }

    fn branch(&mut self, keyword: &str, start: usize) -> Result<(), String> {
        match keyword {
            "if" => self.branches.push(0),
            "elif" => *last(&mut self.branches) += 1,
            "endif" => drop(self.branches.pop()),
            _ => {}
        }
        if self.branches.iter().sum::<usize>() > MOST_BRANCHES {
            return Err(self.refusal(
                start,
                &format!("an `if` has more than {MOST_BRANCHES} `elif` branches"),
                "look the value up in a map: {{ {\"a\": 1}[name] }}",
            ));
        }
        Ok(())
    }

    fn refusal(&self, start: usize, what: &str, help: &str) -> String {
        let line = self.source[..start].matches('\n').count() + 1;
        format!("line {line}: {what}; {help}")
    }

    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    /// Whether the tag ends here. A `}}` within a bracket closes two maps.
    fn ends_at(&mut self, end: &str, depth: usize) -> bool {
        self.at = self.source.len() - self.rest().trim_start().len();
        let is_end = self.rest().starts_with(end) && (end == "%}" || depth == 1);
        if is_end {
            self.at += end.len();
        }
        is_end || self.rest().is_empty()
    }

    fn token(&mut self) -> Option<TagToken<'s>> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let (length, token) = match first {
            '"' | '\'' => (string_length(rest, first), TagToken::Text),
            '0'..='9' => {
                let end = rest.find(|c: char| !is_word(c) && c != '.').unwrap_or(rest.len());
                (end, TagToken::Literal)
            }
            c if is_word(c) => {
                let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
                (end, TagToken::Word(&rest[..end]))
            }
            '(' | '[' | '{' => (1, TagToken::Open),
            ')' | ']' | '}' => (1, TagToken::Close),
            ',' | ':' => (1, TagToken::Comma),
            '*' if !rest.starts_with("**") => (1, TagToken::Times),
            c => {
                let is_double =
                    matches!(rest.get(..2), Some("==" | "!=" | "<=" | ">=" | "**" | "//"));
                (if is_double { 2 } else { c.len_utf8() }, TagToken::Operator)
            }
        };
        self.at = self.source.len() - rest.len() + length;
        Some(token)
    }

    /// Skips a raw block to its `endraw`. Its tags do not count.
    fn skip_raw(&mut self) {
        self.at = self.rest().find("endraw").map_or(self.source.len(), |end| self.at + end);
    }
}

fn last(counts: &mut Vec<usize>) -> &mut usize {
    if counts.is_empty() {
        counts.push(0);
    }
    let at = counts.len() - 1;
    &mut counts[at]
}

/// The length in bytes of the string at the start of `text`; all of `text` if it has no end.
fn string_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::signs(format!("\n\n{{{{ {}1 }}}}", "-".repeat(20_000)), "line 3: ")]
    #[case::nots(format!("{{{{ {}1 }}}}", "not ".repeat(300)), "line 1: ")]
    #[case::sums(format!("{{{{ 1{} }}}}", "~1".repeat(300)), "line 1: ")]
    #[case::filters(format!("{{{{ a{} }}}}", "|trim".repeat(300)), "line 1: ")]
    #[case::choices(format!("{{{{ {}1 }}}}", "1 if a else ".repeat(200)), "line 1: ")]
    #[case::both(format!("{{{{ {}1{} }}}}", "(1+1+".repeat(100), ")".repeat(100)), "line 1: ")]
    #[case::in_a_block(format!("{{% set a = {}1 %}}", "-".repeat(300)), "line 1: ")]
    #[case::after_a_map(format!("{{{{ {{'a': {{}}}} {} }}}}", "~1".repeat(300)), "line 1: ")]
    #[case::a_long_list("\n{{ [1] * 100000000 }}".to_owned(), "line 2: `*` repeats only a text")]
    #[case::of_a_list("{{ 1000 * '-' | list }}".to_owned(), "line 1: `*` repeats only a text")]
    #[case::a_long_line(format!("\n{}", "x".repeat(70_000)), "line 2 is longer than")]
    #[case::elifs(format!("{{% if 0 %}}\n{}{{% endif %}}", "{% elif 0 %}\n".repeat(300)), "line 252: an `if`")]
    fn a_chain_that_is_too_long_is_refused_with_its_line(
        #[case] source: String,
        #[case] said: &str,
    ) {
        let refusal = check(&source).expect_err("it is too long");
        assert!(refusal.starts_with(said), "{refusal}");
    }

    #[rstest]
    #[case::many_tags("{{ a ~ b }}{{- a | trim -}}{% if a == b %}x{% elif not a %}y{% endif %}\n".repeat(3_000))]
    #[case::a_long_list(format!("{{% set a = [{}] %}}", "(1, 2 + 3), ".repeat(1_000)))]
    #[case::a_map(format!("{{{{ {{{}}}[title] }}}}", "'a - b': -1, ".repeat(1_000)))]
    #[case::text(format!("{{{{ '{}' }}}} {}", "- \\' ".repeat(1_000), "- { not ".repeat(1_000)))]
    #[case::a_comment(format!("{{# {} #}}", "- {{ --".repeat(1_000)))]
    #[case::raw(format!("{{% raw %}}{}{{% endraw %}}", "{{ -- }}".repeat(1_000)))]
    #[case::a_rule("{{ '-' * 40 }} {{ 2 ** 3 }} * ".to_owned())]
    #[case::broken("{{ a".to_owned())]
    #[case::broken_string("{{ 'a".to_owned())]
    #[case::stray("{% endif %}{% elif %}}} ) {{ ) }}".to_owned())]
    fn what_people_write_is_not(#[case] source: String) {
        assert_eq!(check(&source), Ok(()));
    }
}
