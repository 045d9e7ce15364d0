-- The registry on Redis: what registry.py does in memory, each call as one atomic script. `C` (limits, state tables, NAT
-- preferences) is put before this text by redis_store.py, from the same places that registry.py takes it from.
--
-- Keys, all below "mayfly:"
--   p:ID     hash   a posting: digest, key, about, kind, load, capacity, ends, lease, state, opened, tries, seq
--   o:ID     set    its open matches                  e:ID  sorted set  its events by seq, as JSON
--   m:ID     hash   a match: digest, posting, until, state, reason, seqs, and the size of both mailboxes
--   c:ID, r:ID  lists  what client and relay have sent
--   owner, plate_of, box_of, holder   hashes  what must be given back when a posting or an open match is gone
--   owned, held   hashes  postings and open matches of each owner       matches   set  open and lingering matches
--   plates   hash   nameplate to posting     free, rest  sorted sets    next  no smaller nameplate is unused
--   b:LEVEL:NAT:UPSTREAM:SERVES  sets  postings with a free seat        boxes  set  the names of those that hold any
--   due      sorted set  when to look at each posting and match again
--   claim:OWNER  hash   nameplates tried in the window
-- p, o, e, m, c, r and claim have a time to live as well, so that nothing of a peer stays if all brokers are gone.

local call = redis.call
local op, args = ARGV[1], cjson.decode(ARGV[3])
local now = tonumber(ARGV[2])
if not now then
  local time = call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end
local SPARE = 3600

local function key(name, id) return 'mayfly:' .. name .. (id and ':' .. id or '') end
local function refuse(name, wait) return {'refused', name, tostring(wait or '')} end
local function news(id) call('PUBLISH', C.channel, id) end

local function fields(hash, ...)
  local values = call('HMGET', hash, ...)
  for at = 1, #values do values[at] = values[at] or nil end
  return unpack(values, 1, select('#', ...))
end

local function count_down(hash, owner)
  if owner and call('HINCRBY', hash, owner, -1) <= 0 then call('HDEL', hash, owner) end
end

-- Boxes

local function take(id)
  local box = call('HGET', key('box_of'), id)
  if not box then return end
  call('HDEL', key('box_of'), id)
  call('SREM', key('b', box), id)
  if call('SCARD', key('b', box)) == 0 then call('SREM', key('boxes'), box) end
end

local function lay(id)
  local kind, load, capacity, state = fields(key('p', id), 'kind', 'load', 'capacity', 'state')
  if not kind then return end
  local open = call('SCARD', key('o', id))
  capacity = tonumber(capacity)
  take(id)
  if state ~= 'live' or open >= capacity then return end
  local share = math.max(tonumber(load), open / capacity)
  local box = math.min(C.levels - 1, math.floor(share * C.levels)) .. ':' .. kind
  call('HSET', key('box_of'), id, box)
  call('SADD', key('b', box), id)
  call('SADD', key('boxes'), box)
end

local function find(want, exclude, draw)
  local by = {}
  for _, box in ipairs(call('SMEMBERS', key('boxes'))) do
    local level, nat, upstream, serves = string.match(box, '^(%d+):(%a+):(%a+):(.*)$')
    local wide = not want.serves or string.find(serves, '+' .. want.serves .. '+', 1, true)
    if wide and (not want.upstream or want.upstream == upstream) then
      local place = nat .. level
      by[place] = by[place] or {}
      table.insert(by[place], box)
    end
  end
  for _, nat in ipairs(C.fitting[want.nat]) do
    for level = 0, C.levels - 1 do
      local boxes, sizes, total = by[nat .. level] or {}, {}, 0
      for at, box in ipairs(boxes) do
        sizes[at] = call('SCARD', key('b', box))
        total = total + sizes[at]
      end
      if total > 0 then
        local place, first = draw % total, 1
        while place >= sizes[first] do
          place = place - sizes[first]
          first = first + 1
        end
        for step = 0, #boxes - 1 do
          local box = boxes[(first - 1 + step) % #boxes + 1]
          for _, id in ipairs(call('SRANDMEMBER', key('b', box), exclude.count + 1)) do
            if not exclude[id] then return id end
          end
        end
      end
    end
  end
end

-- Steps

local function as_long_as(posting, name)  -- a key that was made later than its posting lives no longer
  call('EXPIRE', key(name, posting), math.max(1, call('TTL', key('p', posting))))
end

local function plan(id)
  local lease, ends = fields(key('p', id), 'lease', 'ends')
  local due = math.min(tonumber(lease), tonumber(ends))
  call('ZADD', key('due'), due, id)
  local left = math.ceil(tonumber(ends) - now + SPARE)
  for _, name in ipairs({'p', 'o', 'e'}) do call('EXPIRE', key(name, id), left) end
  return due - now
end

local function renew(id)
  call('HSET', key('p', id), 'lease', now + C.lease)
  return plan(id)
end

local function tell(posting, match, form, ...)
  if call('EXISTS', key('p', posting)) == 0 then return end
  local seq = call('HINCRBY', key('p', posting), 'seq', 1)
  call('ZADD', key('e', posting), seq, string.format(form, seq, match, ...))
  as_long_as(posting, 'e')
  local seqs = call('HGET', key('m', match), 'seqs') or ''
  call('HSET', key('m', match), 'seqs', seqs .. ' ' .. seq)
  news(posting)
end

local retire

local function rest(id, step)
  retire(id, step)
  call('HSET', key('p', id), 'lease', now + C.nameplate_rest, 'ends', now + C.nameplate_rest)
  plan(id)
end

local function finish(match, reason, used)
  local posting, state = fields(key('m', match), 'posting', 'state')
  call('HSET', key('m', match), 'state', C.match[state .. ' ' .. reason], 'reason', reason, 'until', now + C.linger)
  call('ZADD', key('due'), now + C.linger, match)
  count_down(key('held'), call('HGET', key('holder'), match))
  call('HDEL', key('holder'), match)
  call('SREM', key('o', posting), match)
  news(match)
  tell(posting, match, '{"type":"ended","seq":%d,"match":"%s","reason":"%s"}', reason)
  local kind, standing, tries, capacity, opened =
    fields(key('p', posting), 'kind', 'state', 'tries', 'capacity', 'opened')
  if standing ~= 'live' then return end
  if kind then
    if used and tonumber(capacity) > 0 then call('HINCRBY', key('p', posting), 'capacity', -1) end
    lay(posting)
  elseif used then
    rest(posting, 'use')
  elseif tonumber(tries) >= C.tries or tonumber(opened) >= C.openings then
    rest(posting, 'burn')
  end
end

retire = function(id, step)
  local state = call('HGET', key('p', id), 'state')
  if state then call('HSET', key('p', id), 'state', C.posting[state .. ' ' .. step]) end
  take(id)
  for _, match in ipairs(call('SMEMBERS', key('o', id))) do finish(match, 'left') end
  news(id)
end

local function drop(id, step)
  retire(id, step)
  call('DEL', key('p', id), key('o', id), key('e', id))
  call('ZREM', key('due'), id)
  count_down(key('owned'), call('HGET', key('owner'), id))
  call('HDEL', key('owner'), id)
  local plate = call('HGET', key('plate_of'), id)
  if plate then
    call('HDEL', key('plate_of'), id)
    call('HDEL', key('plates'), plate)
    call('ZADD', key('rest'), now + C.nameplate_rest, plate)
  end
end

local function forget(match)
  local posting, seqs = fields(key('m', match), 'posting', 'seqs')
  for seq in string.gmatch(seqs or '', '%d+') do call('ZREMRANGEBYSCORE', key('e', posting), seq, seq) end
  count_down(key('held'), call('HGET', key('holder'), match))
  call('HDEL', key('holder'), match)
  call('SREM', key('matches'), match)
  call('ZREM', key('due'), match)
  call('DEL', key('m', match), key('c', match), key('r', match))
end

local function expire()
  while true do
    local due = call('ZRANGEBYSCORE', key('due'), '-inf', now, 'LIMIT', 0, 100)
    if #due == 0 then return end
    for _, id in ipairs(due) do
      if call('HEXISTS', key('owner'), id) == 1 then
        drop(id, 'lapse')
      elseif call('HGET', key('m', id), 'state') == 'open' then
        finish(id, 'expired')
      else
        forget(id)
      end
    end
  end
end

local function known()
  local digest, state = fields(key('p', args.posting), 'digest', 'state')
  if not digest then return refuse('unknown-posting') end
  if digest ~= args.digest then return refuse('unauthorized') end
  return nil, state
end

local function live()
  local refusal, state = known()
  if refusal then return refusal end
  if state ~= 'live' then return refuse(state) end
end

local function side()
  local digest, posting = fields(key('m', args.match), 'digest', 'posting')
  if not digest then return refuse('unknown-match') end
  if digest == args.digest then return nil, 'c', 'r' end
  if call('HGET', key('p', posting), 'digest') == args.digest then return nil, 'r', 'c' end
  return refuse('unauthorized')
end

local function nameplate()
  for _, plate in ipairs(call('ZRANGEBYSCORE', key('rest'), '-inf', now)) do
    call('ZREM', key('rest'), plate)
    call('ZADD', key('free'), plate, plate)
  end
  local function out(plate)
    return call('HEXISTS', key('plates'), plate) == 1 or call('ZSCORE', key('rest'), plate)
  end
  local wish = args.wish
  if wish and tonumber(wish) <= C.max_nameplate and not out(wish) then
    call('ZREM', key('free'), wish)
    return wish
  end
  local free = call('ZPOPMIN', key('free'))
  if free[1] then return free[1] end
  local next = tonumber(call('GET', key('next')) or 1)
  while out(tostring(next)) do next = next + 1 end
  call('SET', key('next'), next)
  if next <= C.max_nameplate then return tostring(next) end
end

local function claim()
  local name = key('claim', args.owner)
  local till, count = fields(name, 'until', 'count')
  if not till or tonumber(till) <= now then till, count = now + C.claim_window, 0 end
  if tonumber(count) >= C.prefix_claims then return tonumber(till) - now end
  call('HSET', name, 'until', till, 'count', count + 1)
  call('EXPIRE', name, math.ceil(C.claim_window + SPARE))
end

-- Calls

local calls = {}

function calls.post()
  local id = args.posting
  if call('EXISTS', key('p', id)) == 1 then  -- the same call again: its answer was lost on the way to the broker
    local lease, ends = fields(key('p', id), 'lease', 'ends')
    return {'ok', call('HGET', key('plate_of'), id) or '', tostring(math.min(tonumber(lease), tonumber(ends)) - now)}
  end
  if tonumber(call('HGET', key('owned'), args.owner) or 0) >= C.prefix_postings then return refuse('too-many', C.lease) end
  if call('HLEN', key('owner')) >= C.max_postings then return refuse('full', C.lease) end
  local plate = ''
  if not args.kind then
    plate = nameplate()
    if not plate then return refuse('full', C.nameplate_rest) end
    call('HSET', key('plates'), plate, id)
    call('HSET', key('plate_of'), id, plate)
  end
  call('HSET', key('owner'), id, args.owner)
  call('HINCRBY', key('owned'), args.owner, 1)
  call('HSET', key('p', id), 'digest', args.digest, 'capacity', args.capacity, 'ends', now + args.lifetime,
    'lease', now + C.lease, 'state', 'live', 'opened', 0, 'tries', 0, 'seq', 0)
  if args.kind then
    call('HSET', key('p', id), 'key', args.key, 'about', args.about, 'kind', args.kind, 'load', args.load)
    lay(id)
  end
  return {'ok', plate, tostring(plan(id))}
end

function calls.update()
  local refusal = live()
  if refusal then return refusal end
  local posting = key('p', args.posting)
  if args.lifetime then call('HSET', posting, 'ends', now + args.lifetime) end
  if call('HEXISTS', posting, 'kind') == 1 then
    if args.kind then call('HSET', posting, 'about', args.about, 'kind', args.kind, 'load', args.load) end
    if args.capacity then call('HSET', posting, 'capacity', args.capacity) end
    lay(args.posting)
  end
  return {'ok', tostring(renew(args.posting))}
end

function calls.leave()
  local refusal = known()
  if refusal then return refusal end
  drop(args.posting, 'leave')
  return {'ok'}
end

function calls.news()
  local refusal = live()
  if refusal then return refusal end
  local left = renew(args.posting)
  local events = key('e', args.posting)
  local newer = call('ZRANGEBYSCORE', events, '(' .. args.after, '+inf', 'LIMIT', 0, C.max_events)
  local cursor = call('HGET', key('p', args.posting), 'seq')
  if #newer == C.max_events then cursor = call('ZSCORE', events, newer[#newer]) end
  return {'ok', cursor, tostring(left), '[' .. table.concat(newer, ',') .. ']'}
end

function calls.cut()
  local lease, state = fields(key('p', args.posting), 'lease', 'state')
  if state == 'live' then
    call('HSET', key('p', args.posting), 'lease', math.min(tonumber(lease), now + C.cut_lease))
    plan(args.posting)
  end
  return {'ok'}
end

local function made(id)
  local posting, till = fields(key('m', id), 'posting', 'until')
  local public, about = fields(key('p', posting), 'key', 'about')
  return {'ok', posting, tostring(tonumber(till) - now), public or '', about or ''}
end

local function of_friend()
  local posting = call('HGET', key('plates'), args.nameplate)
  if not posting then return refuse('no-such-nameplate') end
  local state = call('HGET', key('p', posting), 'state')
  if state ~= 'live' then return refuse(state or 'no-such-nameplate') end
  local open = call('SRANDMEMBER', key('o', posting))
  if open then return refuse('busy', tonumber(call('HGET', key('m', open), 'until')) - now) end
  return nil, posting
end

function calls.match()
  local id, posting = args.match, nil
  if call('EXISTS', key('m', id)) == 1 then return made(id) end
  if args.nameplate then
    local wait = claim()
    if wait then return refuse('too-many', wait) end
  end
  if tonumber(call('HGET', key('held'), args.owner) or 0) >= C.prefix_matches then return refuse('too-many', C.retry) end
  if call('SCARD', key('matches')) >= C.max_matches then return refuse('full', C.retry) end
  if args.nameplate then
    local refusal
    refusal, posting = of_friend()
    if refusal then return refusal end
  else
    local exclude = {count = #args.exclude}
    for _, name in ipairs(args.exclude) do exclude[name] = true end
    posting = find(args.want, exclude, args.draw)
    if not posting then return refuse('no-relay', C.retry) end
  end
  local till = math.min(now + C.match_lifetime, tonumber(call('HGET', key('p', posting), 'ends')))
  call('HSET', key('m', id), 'digest', args.digest, 'posting', posting, 'until', till, 'state', 'open')
  call('EXPIRE', key('m', id), math.ceil(C.match_lifetime + C.linger + SPARE))
  call('ZADD', key('due'), till, id)
  call('SADD', key('matches'), id)
  call('HSET', key('holder'), id, args.owner)
  call('HINCRBY', key('held'), args.owner, 1)
  call('SADD', key('o', posting), id)
  as_long_as(posting, 'o')
  call('HINCRBY', key('p', posting), 'opened', 1)
  lay(posting)
  tell(posting, id, '{"type":"opened","seq":%d,"match":"%s"}')
  return made(id)
end

function calls.send()
  local refusal, own = side()
  if refusal then return refusal end
  local box, match = key(own, args.match), key('m', args.match)
  local length = call('LLEN', box)
  if args.n <= length and call('LINDEX', box, args.n - 1) == args.body then return {'ok'} end
  if call('HGET', match, 'state') ~= 'open' then return refuse('closed') end
  if args.n ~= length + 1 then return refuse('out-of-order') end
  local size = tonumber(call('HGET', match, own) or 0) + #args.body
  if size > C.max_mailbox then return refuse('mailbox-full') end
  call('RPUSH', box, args.body)
  call('EXPIRE', box, math.ceil(C.match_lifetime + C.linger + SPARE))
  call('HSET', match, own, size)
  news(args.match)
  if own == 'c' then
    local form = '{"type":"message","seq":%d,"match":"%s","n":%d,"body":"%s"}'
    local posting = call('HGET', match, 'posting')
    if args.n == C.guess then call('HINCRBY', key('p', posting), 'tries', 1) end
    tell(posting, args.match, form, args.n, args.body)
  end
  return {'ok'}
end

function calls.mailbox()
  local refusal, _, other = side()
  if refusal then return refusal end
  local reason = call('HGET', key('m', args.match), 'reason') or ''
  return {'ok', reason, unpack(call('LRANGE', key(other, args.match), args.after, -1))}
end

function calls.close()
  local refusal, own = side()
  if refusal then return refusal end
  if call('HGET', key('m', args.match), 'state') == 'open' then
    finish(args.match, args.outcome, own == 'r' and args.outcome == 'done')
  end
  return {'ok'}
end

function calls.counts()
  return {'ok', call('HLEN', key('owner')), call('HLEN', key('box_of')), call('HLEN', key('holder'))}
end

expire()
return calls[op]()
