//! Lists of stories and copies: as many items as fit, and a line that says how many are left out.

use crate::notify::format::bounded::{LengthUnit, escape_and_truncate};
use crate::notify::format::escape::{Escape, no_escape};
use crate::notify::format::link::LinkForm;
use crate::notify::quote::join_pieces;
use crate::notify::view::message_view::{MessageView, StoryItem};

/// The longest line that says how many items are left out.
const MAX_MORE_LINE: usize = 200;

/// The smallest room that is used.
const MIN_ROOM: usize = 40;

/// How a service formats a list.
pub(super) struct ListForm<'f> {
    pub(super) unit: LengthUnit,
    pub(super) escape: Escape,
    /// Formats a heading.
    pub(super) heading: &'f dyn Fn(&str) -> String,
    /// Formats a story or a copy.
    pub(super) item: &'f dyn Fn(&StoryItem) -> String,
}

/// Formats the lists of `view` as texts: at most one for each of `rooms`, and none longer than its
/// room.
pub(super) fn format_lists(
    view: &MessageView,
    rooms: &[usize],
    form: &ListForm<'_>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (heading, items) in view.story_lists() {
        for (number, item) in items.iter().enumerate() {
            let item = (form.item)(item);
            lines.push(if number == 0 {
                format!("\n{}\n{item}", (form.heading)(heading))
            } else {
                item
            });
        }
    }
    let rooms: Vec<usize> = rooms.iter().copied().filter(|room| *room >= MIN_ROOM).collect();
    let costs: Vec<usize> = lines.iter().map(|line| form.unit.length(line) + 1).collect();
    let shares = lines_per_room(&costs, &rooms, MAX_MORE_LINE);
    let mut rest = lines.iter();
    let mut texts: Vec<String> = Vec::new();
    for share in &shares {
        let lines: Vec<&str> = rest.by_ref().take(*share).map(String::as_str).collect();
        texts.push(lines.join("\n").trim_start().to_owned());
    }
    if let (Some(more), Some(last), Some(room)) =
        (describe_hidden_items(view, shares.iter().sum()), texts.last_mut(), rooms.last())
    {
        let left = room.saturating_sub(form.unit.length(last) + 1).min(MAX_MORE_LINE);
        let more = escape_and_truncate(&more, left, form.unit, form.escape);
        let text = if last.is_empty() { more } else { format!("{last}\n{more}") };
        *last = text;
    }
    texts.retain(|text| !text.is_empty());
    texts
}

/// Formats a story or a copy on one line: headline, place and address. `linked` formats an address
/// and the headline that links to it. Each other part has at most `max` UTF-16 units.
pub(super) fn format_item_on_one_line(
    item: &StoryItem,
    link: Option<LinkForm>,
    linked: impl Fn(&str, &str) -> String,
    max: usize,
    escape: Escape,
) -> String {
    let part = |text: &str| escape_and_truncate(text, max, LengthUnit::Utf16, escape);
    let title = part(&join_pieces(&item.title));
    let place = item.place.as_deref().map(|place| format!(" – {}", part(place)));
    let place = place.unwrap_or_default();
    match link {
        None => format!("• {title}{place}"),
        Some(LinkForm::Linked(address) | LinkForm::WrittenOut(address)) => {
            format!("• {}{place}", linked(&address, &title))
        }
        Some(LinkForm::Text(words)) => format!("• {title}{place} – {}", part(&words)),
    }
}

/// Formats a story or a copy without markup, on a line each: headline behind `bullet`, place and
/// address. Headline and place have at most `max` of `unit`.
pub(super) fn format_item_on_lines(
    item: &StoryItem,
    link: Option<LinkForm>,
    bullet: &str,
    max: usize,
    unit: LengthUnit,
) -> String {
    let part = |text: &str| escape_and_truncate(text, max, unit, no_escape);
    let title = format!("{bullet} {}", part(&join_pieces(&item.title)));
    let place = item.place.iter().map(|place| format!("  {}", part(place)));
    let link = link.map(|link| match link {
        LinkForm::Linked(address) | LinkForm::WrittenOut(address) => format!("  {address}"),
        LinkForm::Text(words) => format!("  {}", part(&words)),
    });
    std::iter::once(title).chain(place).chain(link).collect::<Vec<_>>().join("\n")
}

/// The number of lines that go into each of `rooms`, in order; `costs` are their lengths. If not
/// all fit, the last room keeps `reserve` free.
pub(super) fn lines_per_room(costs: &[usize], rooms: &[usize], reserve: usize) -> Vec<usize> {
    let all = fill_rooms(costs, rooms);
    if all.iter().sum::<usize>() == costs.len() {
        return all;
    }
    let mut less = rooms.to_vec();
    if let Some(last) = less.last_mut() {
        *last = last.saturating_sub(reserve + 1);
    }
    fill_rooms(costs, &less)
}

fn fill_rooms(costs: &[usize], rooms: &[usize]) -> Vec<usize> {
    let mut costs = costs.iter().peekable();
    let fill_one = |room: &usize| {
        let mut left = *room;
        let mut taken = 0;
        while let Some(rest) = costs.peek().and_then(|cost| left.checked_sub(**cost)) {
            left = rest;
            taken += 1;
            costs.next();
        }
        taken
    };
    rooms.iter().map(fill_one).collect()
}

/// Says how many items after the first `shown` are left out, and of which lists. `None` if none
/// are.
pub(super) fn describe_hidden_items(view: &MessageView, shown: usize) -> Option<String> {
    let lists = view.story_lists();
    let mut before = 0;
    let mut rest = 0;
    let mut parts = Vec::new();
    for (heading, items) in &lists {
        let hidden = (before + items.len()).saturating_sub(shown.max(before));
        before += items.len();
        rest += hidden;
        if hidden > 0 {
            parts.push(if hidden == items.len() {
                (*heading).to_owned()
            } else {
                format!("{hidden} of {heading}")
            });
        }
    }
    match rest {
        0 => None,
        rest if lists.len() == 1 => Some(format!("and {rest} more")),
        rest => Some(format!("and {rest} more: {}", parts.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_goes_to_the_next_room_and_the_last_keeps_room_to_say_so() {
        assert_eq!(lines_per_room(&[3, 3, 3], &[9], 4), [3]);
        assert_eq!(lines_per_room(&[3, 3, 3, 3], &[9], 2), [2]);
        assert_eq!(lines_per_room(&[3, 3, 3, 3], &[7, 7], 2), [2, 2]);
        assert_eq!(lines_per_room(&[9, 1], &[8, 12], 2), [0, 2]);
        assert_eq!(lines_per_room(&[99], &[8], 2), [0]);
        assert_eq!(lines_per_room(&[], &[8], 2), [0]);
    }
}
