-- A call's `rank` says only where its row stands in the indexes: 0 in the queue, 5 claimed, 10 open, 90 ended. While
-- it is open each move of its state rewrote its entries in all of them.
UPDATE campaign_calls SET rank = 10 WHERE rank >= 5 AND rank < 90 AND rank > 10;
UPDATE campaign_calls SET rank = 90 WHERE rank > 90;
