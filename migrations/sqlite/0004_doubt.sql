-- Who left a call in doubt: the network, or our own death. The breaker counts the first alone.
ALTER TABLE campaign_calls ADD COLUMN doubt TEXT CHECK (doubt IN ('network', 'own'));
UPDATE campaign_calls SET doubt = CASE WHEN reason LIKE 'the engine restarted%' OR reason LIKE 'nobody waits%' THEN 'own' ELSE 'network' END
    WHERE rank >= 5 AND rank < 90 AND state = 'unknown';
