//! How long a template may be, counted before it is parsed.

use minijinja::machinery::{Token, tokenize};

use crate::template::engine::syntax;

/// Tokens of one expression or statement. Operators in a row nest as deep as there are, and the engine recurses that deep.
const MAX_IN_ONE: usize = 1_000;

/// Tokens of one string. Branches of an `if` nest as well.
const MAX_IN_STRING: usize = 10_000;

/// Branches of an `if`, in one string.
const MAX_BRANCHES: usize = 200;

/// Tokens of all strings of a rule.
const MAX_IN_ALL: usize = 200_000;

/// What the strings of a rule may still have.
#[derive(Debug)]
pub(in crate::template) struct Tokens {
    left: usize,
}

impl Tokens {
    pub(in crate::template) fn new() -> Self {
        Self { left: MAX_IN_ALL }
    }

    /// So many.
    #[cfg(test)]
    pub(in crate::template) fn of(left: usize) -> Self {
        Self { left }
    }

    /// Counts those of one string, and says how many there are. What is no token is left to the parser to complain about.
    pub(in crate::template) fn count(&mut self, source: &str, is_expression: bool) -> Result<usize, String> {
        let (mut all, mut in_one, mut branches) = (0, 0, 0);
        for token in tokenize(source, is_expression, syntax()) {
            match token {
                Err(_) => break,
                Ok((Token::VariableStart | Token::BlockStart, _)) => in_one = 0,
                Ok((Token::Ident("elif"), _)) => branches += 1,
                Ok(_) => {}
            }
            (all, in_one) = (all + 1, in_one + 1);
            within(in_one, MAX_IN_ONE, "an expression")?;
            within(branches, MAX_BRANCHES, "an `if` with its branches")?;
            within(all, MAX_IN_STRING, "a string")?;
        }
        self.left =
            self.left.checked_sub(all).ok_or_else(|| longer("the parameters of a rule", MAX_IN_ALL))?;
        Ok(all)
    }

    /// What was counted is counted again, in another way.
    pub(in crate::template) fn give_back(&mut self, count: usize) {
        self.left += count;
    }
}

fn within(count: usize, limit: usize, what: &str) -> Result<(), String> {
    if count > limit { Err(longer(what, limit)) } else { Ok(()) }
}

fn longer(what: &str, limit: usize) -> String {
    format!("too long: {what} may have at most {limit} words and signs")
}
