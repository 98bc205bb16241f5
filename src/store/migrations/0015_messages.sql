-- What messages say of stories without a headline, and of digests in parts.

-- The beginning of its text: it stands in for a headline.
ALTER TABLE story ADD COLUMN opening TEXT GENERATED ALWAYS AS (substr(coalesce(body, feed_text), 1, 400)) VIRTUAL;

-- Of a digest that was split: which part it is, as JSON. No alert joins a part.
ALTER TABLE message ADD COLUMN part TEXT;
