//! The builder of statements of any text and any number of rows.

use super::statement::{Argument, Statement, StatementAs, built};

/// Builds a statement of any number of rows.
pub(in crate::store) struct StatementBuilder<'q> {
    text: String,
    arguments: Vec<Argument<'q>>,
}

impl<'q> StatementBuilder<'q> {
    /// A statement that begins with this text.
    pub(in crate::store) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), arguments: Vec::new() }
    }

    /// Adds text, which has no question mark.
    pub(in crate::store) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a placeholder with this value.
    pub(in crate::store) fn push_bind(&mut self, argument: impl Into<Argument<'q>>) -> &mut Self {
        self.text.push('?');
        self.arguments.push(argument.into());
        self
    }

    /// Adds `VALUES` with a list for each of these rows.
    pub(in crate::store) fn push_values<R>(
        &mut self,
        rows: impl IntoIterator<Item = R>,
        mut push_row: impl FnMut(&mut RowBuilder<'_, 'q>, R),
    ) {
        self.text.push_str("VALUES ");
        for (place, row) in rows.into_iter().enumerate() {
            self.text.push_str(if place == 0 { "(" } else { ", (" });
            push_row(&mut RowBuilder { statement: self, is_first: true }, row);
            self.text.push(')');
        }
    }

    /// The statement.
    pub(in crate::store) fn build(self) -> Statement<'q> {
        built(self.text, self.arguments)
    }

    /// The statement, whose rows are tuples.
    pub(in crate::store) fn build_query_as<T>(self) -> StatementAs<'q, T> {
        self.build().into()
    }
}

/// The values of one row of [`StatementBuilder::push_values`].
pub(in crate::store) struct RowBuilder<'b, 'q> {
    statement: &'b mut StatementBuilder<'q>,
    is_first: bool,
}

impl<'q> RowBuilder<'_, 'q> {
    /// Adds the next value.
    pub(in crate::store) fn push_bind(&mut self, argument: impl Into<Argument<'q>>) -> &mut Self {
        if !self.is_first {
            self.statement.text.push_str(", ");
        }
        self.is_first = false;
        self.statement.push_bind(argument);
        self
    }
}
