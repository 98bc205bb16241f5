//! What outlets make of a wire's article, and articles that only share something with it.

use super::press::Press;

type Pair = [String; 2];

fn text(paragraphs: &[String]) -> String {
    paragraphs.join("\n\n")
}

pub fn same(press: &mut Press) -> Pair {
    let text = text(&press.article());
    [text.clone(), text]
}

pub fn byline(press: &mut Press) -> Pair {
    let text = text(&press.article());
    let mut head = || format!("{} (Wire) — By {} {} — ", press.name().to_uppercase(), press.name(), press.name());
    [head() + &text, head() + &text]
}

pub fn cut(press: &mut Press, percent: usize) -> Pair {
    let text = text(&press.article());
    [without_end(&text, percent), text]
}

pub fn lead(press: &mut Press, paragraphs: usize) -> Pair {
    let article = press.article();
    [text(&article), text(&[local(press, paragraphs), article].concat())]
}

pub fn lead_and_cut(press: &mut Press) -> Pair {
    let article = press.article();
    let local = local(press, 1);
    [text(&article), text(&local) + "\n\n" + &without_end(&text(&article), 25)]
}

pub fn edit(press: &mut Press, one_in: u32) -> Pair {
    let text = text(&press.article());
    [edited(press, &text, one_in), text]
}

pub fn tail(press: &mut Press) -> Pair {
    let text = text(&press.article());
    let tail = press.boilerplate();
    [text.clone() + "\n\n" + &tail, text]
}

pub fn all(press: &mut Press) -> Pair {
    let [one, other] = byline(press);
    let tail = press.boilerplate();
    [edited(press, &without_end(&one, 10), 60) + "\n\n" + &tail, other]
}

pub fn same_tail(press: &mut Press) -> Pair {
    let tail = press.boilerplate();
    [press.article(), press.article()].map(|article| text(&article) + "\n\n" + &tail)
}

/// The next day's story: its first half is new, the background is not.
pub fn follow_up(press: &mut Press) -> Pair {
    let (before, mut after) = (press.article(), press.article());
    let background = &before[before.len() / 2..];
    after.truncate(background.len().max(4));
    [text(&before), text(&[&after, background].concat())]
}

/// The same article in another language: each word is another, always the same one.
pub fn translation(press: &mut Press) -> Pair {
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
    let edit = |word: &str| if press.rng.u32(0..one_in) == 0 { press.word() } else { word.to_owned() };
    text.split(' ').map(edit).collect::<Vec<_>>().join(" ")
}
