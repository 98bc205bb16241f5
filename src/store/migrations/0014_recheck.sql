-- Pages that are looked at again behind an unchanged item.

-- When its page is to be looked at again, once it is settled; null: no more.
ALTER TABLE story ADD COLUMN look_again INTEGER;
CREATE INDEX story_look_again ON story (look_again) WHERE look_again IS NOT NULL;
