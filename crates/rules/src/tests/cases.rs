//! The language as a table: an expression, a text, and whether it matches. Every evaluator is
//! tested with it.

mod near;
mod operators;
mod places;
mod scripts;
mod signs;
mod spelling;
mod words;

/// An expression, a text, and whether it matches.
pub(crate) type Case = (&'static str, &'static str, bool);

/// Every case, by subject.
pub(crate) const CASES: [(&str, &[Case]); 7] = [
    ("words and phrases", words::CASES),
    ("AND, OR, NOT, ANY, lengths", operators::CASES),
    ("NEAR, ONEAR, EXCEPT", near::CASES),
    ("SENT, PARA, ATLEAST, regular expressions", places::CASES),
    ("signs and numbers", signs::CASES),
    ("spelling", spelling::CASES),
    ("scripts", scripts::CASES),
];
