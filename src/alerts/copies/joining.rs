//! The relation of a story to an event, from its relations to the event's stories. Pure.

use super::Relation;

/// The relation of a story to one story of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRelation {
    /// Whether that story is the event's first.
    pub is_first: bool,
    /// The relation to it.
    pub relation: Relation,
}

/// The relation of a story to an event. The story belongs to the event if it belongs to the event's
/// first story, or to every story of the event that it was compared with. So copies of copies make
/// no chain.
#[must_use]
pub fn relation_to_event(members: &[MemberRelation]) -> Relation {
    let is_related = |member: &MemberRelation| member.relation != Relation::Other;
    let belongs = members.iter().any(|member| member.is_first && is_related(member))
        || members.iter().all(is_related);
    let relations = || members.iter().map(|member| &member.relation);
    if !belongs {
        Relation::Other
    } else if relations().any(|relation| *relation == Relation::Copy) {
        Relation::Copy
    } else if let Some(update) = relations().find(|one| matches!(one, Relation::Update(_))) {
        update.clone()
    } else if relations().any(|relation| *relation == Relation::Older) {
        Relation::Older
    } else {
        Relation::Other
    }
}

#[cfg(test)]
mod tests {
    use super::super::CopyUpdate;
    use super::*;

    #[test]
    fn a_story_belongs_to_the_first_of_an_event_or_to_all_of_it() {
        let update = || Relation::Update(CopyUpdate { mark: None, figures: Vec::new() });
        for (members, expected) in [
            (vec![(true, Relation::Copy)], Relation::Copy),
            (vec![(false, Relation::Copy), (false, Relation::Copy)], Relation::Copy),
            (vec![(true, Relation::Other), (false, Relation::Copy)], Relation::Other),
            (vec![(false, Relation::Copy), (false, Relation::Other)], Relation::Other),
            (vec![(true, Relation::Copy), (false, Relation::Other)], Relation::Copy),
            (vec![(true, update()), (false, Relation::Copy)], Relation::Copy),
            (vec![(true, update()), (false, Relation::Older)], update()),
            (vec![(true, Relation::Older)], Relation::Older),
            (Vec::new(), Relation::Other),
        ] {
            let members: Vec<MemberRelation> = members
                .into_iter()
                .map(|(is_first, relation)| MemberRelation { is_first, relation })
                .collect();
            assert_eq!(relation_to_event(&members), expected, "{members:?}");
        }
    }
}
