//! Rewritten versions of a wire's article, and articles that only share parts with it.

use super::press::Press;

type TextPair = [String; 2];

fn text(paragraphs: &[String]) -> String {
    paragraphs.join("\n\n")
}

pub fn same(press: &mut Press) -> TextPair {
    let text = text(&press.article());
    [text.clone(), text]
}

pub fn byline(press: &mut Press) -> TextPair {
    let text = text(&press.article());
    let mut head = || {
        format!("{} (Wire) — By {} {} — ", press.name().to_uppercase(), press.name(), press.name())
    };
    [head() + &text, head() + &text]
}

pub fn cut(press: &mut Press, percent: usize) -> TextPair {
    let text = text(&press.article());
    [without_end(&text, percent), text]
}

pub fn lead(press: &mut Press, paragraphs: usize) -> TextPair {
    let article = press.article();
    [text(&article), text(&[local(press, paragraphs), article].concat())]
}

pub fn lead_and_cut(press: &mut Press) -> TextPair {
    let article = press.article();
    let local = local(press, 1);
    [text(&article), text(&local) + "\n\n" + &without_end(&text(&article), 25)]
}

pub fn edit(press: &mut Press, one_in: u32) -> TextPair {
    let text = text(&press.article());
    [text.clone(), edited(press, &text, one_in)]
}

/// British spelling: one small word in twenty-five is spelled in another way.
pub fn british(press: &mut Press) -> TextPair {
    const SPELLINGS: [[&str; 2]; 9] = [
        ["color", "colour"],
        ["labor", "labour"],
        ["center", "centre"],
        ["organized", "organised"],
        ["traveled", "travelled"],
        ["program", "programme"],
        ["dialog", "dialogue"],
        ["defense", "defence"],
        ["analyzed", "analysed"],
    ];
    let article = text(&press.article());
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for word in article.split(' ') {
        let is_plain = word.bytes().all(|byte| byte.is_ascii_lowercase());
        let spelled = (is_plain && press.rng.u32(0..25) == 0)
            .then(|| press.rng.choice(SPELLINGS).expect("some"));
        let [american, british] = spelled.unwrap_or([word, word]);
        one.push(american);
        other.push(british);
    }
    [one.join(" "), other.join(" ")]
}

/// One word in forty has a typo.
pub fn typos(press: &mut Press) -> TextPair {
    let text = text(&press.article());
    let mistyped = |word: &str| {
        let letters: Vec<char> = word.chars().collect();
        if letters.len() < 5
            || !letters.iter().all(|c| c.is_alphabetic())
            || press.rng.u32(0..40) > 0
        {
            return word.to_owned();
        }
        let at = press.rng.usize(1..letters.len() - 1);
        let (mut start, rest) = (letters[..at].to_vec(), &letters[at..]);
        match press.rng.u32(0..3) {
            0 => start.extend([rest[1], rest[0]].into_iter().chain(rest[2..].iter().copied())),
            1 => start.extend(&rest[1..]),
            _ => start.extend([rest[0]].iter().chain(rest)),
        }
        start.into_iter().collect()
    };
    let other = text.split(' ').map(mistyped).collect::<Vec<_>>().join(" ");
    [text, other]
}

/// Two paragraphs are added in the middle.
pub fn added(press: &mut Press) -> TextPair {
    let article = press.article();
    let mut longer = article.clone();
    for paragraph in local(press, 2) {
        let at = press.rng.usize(1..longer.len());
        longer.insert(at, paragraph);
    }
    [text(&article), text(&longer)]
}

/// One paragraph stands elsewhere.
pub fn moved(press: &mut Press) -> TextPair {
    let article = press.article();
    let mut other = article.clone();
    let paragraph = other.remove(press.rng.usize(1..article.len()));
    other.insert(press.rng.usize(0..other.len()), paragraph);
    [text(&article), text(&other)]
}

pub fn shuffled(press: &mut Press) -> TextPair {
    let article = press.article();
    let mut other = article.clone();
    press.rng.shuffle(&mut other);
    [text(&article), text(&other)]
}

pub fn replaced(press: &mut Press) -> TextPair {
    let article = press.article();
    let mut other = article.clone();
    for paragraph in local(press, 2) {
        let at = press.rng.usize(0..other.len());
        other[at] = paragraph;
    }
    [text(&article), text(&other)]
}

pub fn first_three(press: &mut Press) -> TextPair {
    let article = press.article();
    [text(&article), text(&article[..3])]
}

/// The article stands among other entries of a page that grows.
pub fn live_blog(press: &mut Press) -> TextPair {
    let article = press.article();
    let entries = local(press, 8);
    [text(&article), text(&[&entries[..3], &article, &entries[3..]].concat())]
}

/// The agency's next version: a new beginning, more background.
pub fn next_version(press: &mut Press) -> TextPair {
    let article = press.article();
    let (lead, more) = (local(press, 2), local(press, 3));
    [text(&article), text(&[&lead, &article[1..], &more].concat())]
}

/// A byline, a local lead, two fifths cut, a few words changed, two new paragraphs, a tail.
pub fn newspaper(press: &mut Press) -> TextPair {
    let article = press.article();
    let kept = edited(press, &without_end(&text(&article), 40), 60);
    let (lead, own, tail) = (local(press, 1), local(press, 1), press.boilerplate());
    let head = format!("By {} {}\n\n", press.name(), press.name());
    [text(&article), head + &[text(&lead), kept, text(&own), tail].join("\n\n")]
}

pub fn tail(press: &mut Press) -> TextPair {
    let text = text(&press.article());
    let tail = press.boilerplate();
    [text.clone() + "\n\n" + &tail, text]
}

pub fn all(press: &mut Press) -> TextPair {
    let [one, other] = byline(press);
    let tail = press.boilerplate();
    [edited(press, &without_end(&one, 10), 60) + "\n\n" + &tail, other]
}

pub fn same_tail(press: &mut Press) -> TextPair {
    let tail = press.boilerplate();
    [press.article(), press.article()].map(|article| text(&article) + "\n\n" + &tail)
}

/// The next day's story. Its first half is new, and its background is the same.
pub fn follow_up(press: &mut Press) -> TextPair {
    let (before, mut after) = (press.article(), press.article());
    let background = &before[before.len() / 2..];
    after.truncate(background.len().max(4));
    [text(&before), text(&[&after, background].concat())]
}

/// The same article in another language: each word is always replaced by the same other word.
pub fn translation(press: &mut Press) -> TextPair {
    let text = text(&press.article());
    let foreign = |word: &str| {
        let kept = word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
        if kept { word.to_owned() } else { word.chars().rev().collect::<String>() + "o" }
    };
    let translated = text.split(' ').map(foreign).collect::<Vec<_>>().join(" ");
    [text, translated]
}

fn local(press: &mut Press, paragraphs: usize) -> Vec<String> {
    let names = [press.name(), press.name()];
    (0..paragraphs).map(|_| press.paragraph(&names)).collect()
}

fn without_end(text: &str, percent: usize) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    words[..words.len() * (100 - percent) / 100].join(" ")
}

fn edited(press: &mut Press, text: &str, one_in: u32) -> String {
    let is_common =
        |word: &str| word.len() < 5 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let edit = |word: &str| {
        if is_common(word) && press.rng.u32(0..one_in / 3) == 0 {
            press.common_word()
        } else {
            word.to_owned()
        }
    };
    text.split(' ').map(edit).collect::<Vec<_>>().join(" ")
}
