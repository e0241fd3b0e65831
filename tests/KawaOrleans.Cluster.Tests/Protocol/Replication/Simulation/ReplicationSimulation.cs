using KawaOrleans.Server.Protocol;
using static KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation.SimulatedNodes;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>Nodes with real segment files on simulated disks, logs of several replicas, a changer on every node, callers and readers. Calls
/// interleave at every message, and everything fails that <see cref="Incident"/> names. What a seed does, it does again.</summary>
internal sealed class ReplicationSimulation
{
    private const int Turns = 900;
    private const int MostSteps = 20_000;
    private const int MostRolls = 4;
    private const int MostWipes = 3;
    private const int MostPasses = 12;

    private static readonly string[] Names = ["orders", "payments"];

    private readonly World _world;
    private readonly StoredRecords _stored = new();
    private readonly Checks _checks;
    private readonly Losses _losses;
    private readonly List<SimulatedNode> _nodes = [];
    private readonly List<SimulatedLog> _logs = [];
    private readonly SimulatedNetwork _network;
    private readonly Directories _directories;
    private readonly SimulatedCallers _callers;
    private readonly Feeding _feeding;
    private readonly Registrations _registrations;
    private readonly Healers _healers;
    private readonly Twins _twins;
    private readonly PlantedBug _bug;
    private readonly Incidents _incidents = new();
    private readonly Trace? _trace;
    private double _unrest;
    private int _wipes;

    public ReplicationSimulation(int seed, PlantedBug bug = PlantedBug.None, Trace? trace = null)
    {
        (_world, _bug, _trace) = (new World(seed), bug, trace);
        _losses = new Losses(_world, _stored, _nodes, (node, segmentId) => _checks!.SaidOf(node, segmentId));
        _checks = new Checks(_stored, _nodes, _losses, _incidents);
        _network = new SimulatedNetwork(_world, _nodes, bug, _incidents, trace);
        _directories = new Directories(_network, _stored, _checks, _incidents) { Hastened = chain => _logs.SingleOrDefault(log => log.Id == chain.LogId)?.Saw(chain) };
        _feeding = new Feeding(_network);
        _registrations = new Registrations(_network, _stored, _incidents);
        _twins = new Twins(_network, _stored, _checks, _incidents);
        _network.Originals = _twins.Originals;
        _healers = new Healers(_network, _stored, _incidents, (node, chain, open) => OpenNext(node, _logs.Single(log => log.Id == chain.LogId), open));
        _callers = new SimulatedCallers(
            _network, _checks, _incidents, _world.Chance(0.3) ? SimulatedCallers.FewRemembered : 10_000,
            written: opening => _feeding.Go(opening, tellCommitted: false), refused: MaybeOpenNext);
        _stored.OnLost = isAnswer => _incidents.Count(isAnswer ? Incident.LostStoreAnswer : Incident.LostStoreRequest);
        _stored.OnSwapped = (before, next) =>
        {
            _trace?.Say($"STORE: chain {next.Version} of {next.LogName}: {string.Join(' ', next.Segments.Select(s => $"{Short(s.Id)}[{s.Base},{s.End})"))}");
            _checks.Swapped(before, next);
        };
        var (count, replicas, ackQuorum) = _world.Random.Next(8) switch
        {
            0 => (3, 2, 2),
            1 => (3, 3, 3),
            2 => (3, 3, 1),
            3 => (5, 5, 3),
            4 => (5, 3, 2),
            5 => (4, 3, 2),
            _ => (3, 3, 2),
        };
        _nodes.AddRange(Enumerable.Range(0, count).Select(i => new SimulatedNode($"node-{(char)('a' + i)}", _world, _checks, _incidents, bug)));
        Begin(replicas, ackQuorum);
    }

    public Incidents Incidents => _incidents;

    public int Swaps => _checks.Swaps;

    public int Acknowledgements => _checks.Acknowledgements;

    /// <summary>The first promise or invariant that was broken, or null.</summary>
    public string? Run()
    {
        _world.IsStepped = true;
        _world.Loss = _world.Random.Next(3) switch { 0 => 0, 1 => 0.02, _ => 0.1 };
        _network.Trouble = _world.Random.Next(3) switch { 0 => 0, 1 => 0.03, _ => 0.12 };
        _unrest = _world.Random.Next(3) switch { 0 => 0.1, 1 => 0.3, _ => 0.8 };
        var disk = new DiskTrouble(_world.Random.Next(3) * 0.002, _world.Random.Next(3) * 0.002, _world.Random.Next(3) * 0.01);
        _nodes.ForEach(node => node.Disk.Trouble = disk);
        for (var turn = 0; turn < Turns && _checks.Broken is null; turn++)
        {
            if (_trace is not null)
            {
                _trace.Turn = turn;
            }

            Turn();
        }

        return _checks.Broken ?? Settle();
    }

    private void Begin(int replicas, int ackQuorum)
    {
        // Nothing waits yet, so that all of this completes at once.
        var changer = _directories.Of(_nodes[0]);
        var cookie = Complete(changer.Join(default)).Cookie;
        foreach (var node in _nodes)
        {
            node.Cookie = cookie;
            Complete(Done(_registrations.Register(node)));
        }

        foreach (var name in Names.Take(_world.Random.Next(1, 3)))
        {
            var chain = Complete(changer.CreateLog(name, new LogOptions { SegmentBytes = Limits.MinSegmentBytes }, default));
            _logs.Add(new SimulatedLog(name, chain.LogId));

            // No public call makes such a log yet.
            _stored.Chains[name] = _stored.Tagged(chain with { Options = chain.Options with { Replicas = replicas, AckQuorum = ackQuorum } });
        }

        _trace?.Say($"{_nodes.Count} nodes, {_logs.Count} logs, N = {replicas}, A = {ackQuorum}");
    }

    private void Turn()
    {
        switch (_world.Random.Next(200))
        {
            case < 110:
                for (var steps = _world.Random.Next(1, 12); steps > 0 && _world.Step(); steps--)
                {
                    _directories.Collect();
                    _healers.Collect();
                }

                break;
            case < 145:
                Append();
                break;
            case < 151:
                Heal(Any());
                break;
            case < 165:
                Feed();
                break;
            case < 177:
                Read();
                break;
            case < 180:
                OpenNext(AnyLog());
                break;
            case < 191:
                if (_world.Chance(_unrest))
                {
                    Fail(Any());
                }

                break;
            case < 192:
                if (_world.Chance(_unrest))
                {
                    Rot(Any());
                }

                break;
            case < 196:
                if (_world.Chance(_unrest))
                {
                    Cut(Any().Name, Any().Name);
                }

                break;
            case < 199:
                _network.Mend();
                break;
            default:
                Any().MoveClock(TimeSpan.FromMilliseconds(_world.Random.Next(-2000, 3000)));
                break;
        }
    }

    private SimulatedNode Any() => _nodes[_world.Random.Next(_nodes.Count)];

    private SimulatedLog AnyLog() => _logs[_world.Random.Next(_logs.Count)];

    private void Cut(string one, string other)
    {
        if (one != other)
        {
            var isBoth = _world.Chance(0.4);
            _trace?.Say($"cut: {one} {(isBoth ? "-" : "->")} {other}");
            _network.Cut(one, other);
            if (isBoth)
            {
                _network.Cut(other, one);
            }
        }
    }

    /// <summary>A node dies, stops, goes on, or has no room.</summary>
    private void Fail(SimulatedNode node)
    {
        if (!node.IsUp && _wipes < MostWipes && !node.Disk.IsCopy && _world.Chance(0.1) && _losses.MayWipe(node))
        {
            _trace?.Say($"{node.Name}'s directory is given up");
            _wipes++;
            _losses.Wiped();
            _registrations.GiveUp(node.Node);
            _incidents.Count(Incident.GivenUp);
        }
        else if (!node.IsUp && _stored.Catalogue!.Value.IsGivenUp(node.Id) && _world.Chance(0.7))
        {
            // It stays away until others have what it had.
        }
        else if (!node.IsUp)
        {
            Start(node);
        }
        else if (node.IsPaused)
        {
            GoOn(node);
        }
        else if (node.Disk.IsFull)
        {
            _trace?.Say($"{node.Name} has room again");
            node.Disk.IsFull = false;
        }
        else if (_world.Chance(0.1))
        {
            Twin(node);
        }
        else if (_world.Chance(0.35))
        {
            _trace?.Say($"{node.Name} stands still");
            node.IsPaused = true;
        }
        else if (_world.Chance(0.2))
        {
            _trace?.Say($"{node.Name} has no room");
            node.Disk.IsFull = true;
        }
        else
        {
            _trace?.Say($"{node.Name} crashes");
            node.Crash();
            if (node.Disk is { HasCopy: false, IsCopy: false } && _world.Chance(0.2))
            {
                _trace?.Say($"{node.Name}'s directory is copied");
                node.Disk.Copy();
            }
            else if (node.Disk is { HasCopy: true, IsCopy: false } && _world.Chance(0.3))
            {
                _trace?.Say($"{node.Name} gets the copy of its directory instead");
                node.Disk.PutCopy();
            }
            else if (_wipes < MostWipes && !node.Disk.IsCopy && _world.Chance(0.15) && _losses.MayWipe(node))
            {
                _trace?.Say($"{node.Name} loses its directory");
                _wipes++;
                _losses.Wiped();
                node.Wipe();
                if (_world.Chance(0.7))
                {
                    // At once, so that what was meant for the lost one is still on its way.
                    Start(node);
                }
            }
        }
    }

    /// <summary>Someone copies the directory of a node that runs, or starts such a copy beside it.</summary>
    private void Twin(SimulatedNode node)
    {
        if (_bug != PlantedBug.CopyRunsBeside)
        {
            _twins.Go(node);
        }
        else if (node.IsRegistered && _twins.Originals.Count == 0)
        {
            Start(_nodes[_nodes.IndexOf(node)] = _twins.Replace(node));
        }
    }

    private void GoOn(SimulatedNode node)
    {
        _trace?.Say($"{node.Name} goes on");
        node.IsPaused = false;
        _incidents.Count(Incident.Pause);
        if (node.Openings.Any(opening => _stored.Chains[opening.Chain.LogName].Value.WriteSegment?.Id != opening.Segment.Header.Identity.Id))
        {
            _incidents.Count(Incident.Zombie);
        }
    }

    private void Rot(SimulatedNode node)
    {
        if (_world.Chance(0.15) && _logs.Select(log => $"{SimulatedNode.Folder(log.Id)}/chain").FirstOrDefault(node.Disk.Volume.Exists) is { } path)
        {
            // Of the two slots one may count alone from now on; neither of them may be lost.
            var bytes = node.Disk.Volume.Bytes(path).Length;
            node.Disk.Rot(path, _world.Random.Next(bytes));
            _incidents.Count(Incident.RottenChain);
            _trace?.Say($"a bit of a chain kept by {node.Name} turns over");
        }
        else if (_losses.Harm(node) is var (what, said))
        {
            _incidents.Count(what);
            _trace?.Say(said);
        }
    }

    private void Start(SimulatedNode node)
    {
        node.Start();
        if (node.IsUp)
        {
            _ = _registrations.Register(node);
        }

        _directories.Forget(node);
        if (node.IsUp && _world.Chance(0.3))
        {
            // Before it is registered, or refused.
            Learn(node);
        }

        _trace?.Say($"{node.Name} {(node.IsUp ? "starts" : "dies while it starts")}: "
            + string.Join(' ', node.Segments.Values.Select(s => $"{Short(s.Header.Identity.Id)} {s.State} up to {s.Tail.Position}")));
    }

    /// <summary>Someone asks a node for a segment to write to, with whatever was last seen of the log.</summary>
    private void OpenNext(SimulatedLog log, Guid? after = null)
    {
        OpenNext(Any(), log, after);
    }

    private void OpenNext(SimulatedNode node, SimulatedLog log, Guid? after)
    {
        if (!_directories.AreBusy && node is { IsUp: true, IsPaused: false })
        {
            after ??= log.Seen.Count == 0 || _world.Chance(0.3) ? null : log.Seen[_world.Random.Next(log.Seen.Count)].WriteSegment?.Id;
            _directories.OpenNext(node, log, after);
        }
    }

    /// <summary>A node is told the newest chain of a log.</summary>
    private void Learn(SimulatedNode node)
    {
        var chain = _stored.Chains[AnyLog().Name].Value;
        _network.Do(node, $"learn chain {chain.Version}", here => new NodeAnswer<long>(here.Announce(chain), null));
    }

    /// <summary>A node looks at its replicas.</summary>
    private void Heal(SimulatedNode node)
    {
        if (node is { IsUp: true, IsPaused: false, IsRegistered: true })
        {
            _ = _healers.Heal(node);
        }
    }

    private void MaybeOpenNext(SimulatedLog log, Guid after)
    {
        if (_world.Chance(0.5))
        {
            OpenNext(log, after);
        }
    }

    /// <summary>A caller sends a batch to the writer it knows.</summary>
    private void Append()
    {
        var log = AnyLog();
        if (log.Seen.Count > 0 && log.Seen[_world.Random.Next(log.Seen.Count)].WriteSegment is { } segment)
        {
            _ = _callers.Append(log, segment);
        }
        else
        {
            OpenNext(log);
        }
    }

    /// <summary>The primaries send what is to be sent, also where no answer came before, and have a segment ended that can acknowledge nothing.</summary>
    private void Feed()
    {
        foreach (var original in _twins.Originals.Where(_ => _world.Chance(0.02)).ToList())
        {
            _twins.Look(original);
        }

        foreach (var opening in _nodes.Concat(_twins.Originals).Where(node => node is { IsUp: true, IsPaused: false }).SelectMany(node => node.Openings).ToList())
        {
            _feeding.Go(opening, tellCommitted: true);
            if (opening.Rules.CannotCommit is not null)
            {
                MaybeOpenNext(_logs.Single(log => log.Id == opening.Chain.LogId), opening.Segment.Header.Identity.Id);
            }
        }
    }

    /// <summary>Someone reads what some node knows to be committed.</summary>
    private void Read()
    {
        var (node, log) = (Any(), AnyLog());
        if (node is not { IsUp: true, IsPaused: false } || node.Saved(log.Id)?.Segments is not { Count: > 0 } segments)
        {
            return;
        }

        var segment = segments[_world.Chance(0.6) ? segments.Count - 1 : _world.Random.Next(segments.Count)];
        var from = segment.Base + (_world.Chance(0.5) ? 0 : _world.Random.Next(20));
        var read = log.History.Read(from);
        var found = _network.Do(node, $"read {Short(segment.Id)}", here => new NodeAnswer<IReadOnlyList<RecordedEvent>>(here.Read(segment.Id, from, 8), null));
        if (found is { IsKnown: true, Value: { Count: > 0 } events })
        {
            _incidents.Count(Incident.Read);
            _trace?.Say($"read of {Short(segment.Id)} on {node.Name}: [{from}, {from + events.Count})");
            log.History.Saw(read, [.. events.Select(e => e.Id)], toTheEnd: false);
            log.Saw(events);
        }
    }

    /// <summary>Every node returns and nothing fails any more: the logs are written again, and hold what was promised.</summary>
    private string? Settle()
    {
        _trace?.Say("everything returns");
        (_world.Loss, _network.Trouble) = (0, 0);
        _network.Mend();
        _twins.Originals.ToList().ForEach(_twins.Look);
        foreach (var node in _nodes)
        {
            (node.Disk.Trouble, node.Disk.IsFull, node.IsPaused) = (default, false, false);
            if (node.IsUp)
            {
                // What a failed sync left behind is known only after a restart.
                node.Crash();
            }
        }

        // One that is refused is started again, once the operator did what the refusal says.
        for (var starts = 0; starts < 3; starts++)
        {
            _nodes.Where(node => !node.IsUp).ToList().ForEach(Start);
            for (var steps = 0; _world.Step(); steps++)
            {
                _directories.Collect();
                if (steps > MostSteps)
                {
                    return $"liveness: all is well, and after {MostSteps} steps messages still go to and fro";
                }
            }

            _directories.Collect();
        }

        _checks.Require(_nodes.TrueForAll(node => node.IsRegistered), "liveness", "all is well and a node is not registered");
        _world.IsStepped = false;
        foreach (var log in _logs)
        {
            // A node that finds damage only now is passed over by the next opening.
            var isAnswered = false;
            for (var roll = 0; roll < MostRolls && !(isAnswered && roll > 1) && _checks.Broken is null; roll++)
            {
                var segment = Roll(log).WriteSegment!;
                Complete(Done(_callers.AppendNew(log, segment)));
                Feed();
                isAnswered = !log.Batches[^1].IsUnsettled;
            }

            _checks.Require(isAnswered, "liveness", $"all is well and an append to {log.Name} is not answered");
        }

        MendAll();
        _checks.Replicas();
        _checks.Whole(_logs);
        return _checks.Broken ?? _logs.Select(log => log.WhatBroke(Roll(log), _nodes)).FirstOrDefault(broken => broken is not null) ?? _checks.Broken;
    }

    /// <summary>Pass after pass on every node, until nothing is left to be mended.</summary>
    private void MendAll()
    {
        (_healers.Doubt, _healers.Verifies) = (0, true);
        for (var (pass, still) = (0, 0); pass < MostPasses && still < 2 && _checks.Broken is null; pass++)
        {
            var before = Mended();
            foreach (var node in _nodes)
            {
                Complete(Done(_healers.Heal(node)));
            }

            still = before == Mended() ? still + 1 : 0;
        }

        (int, long, long, long) Mended() => (_checks.Swaps, _incidents[Incident.Healed], _incidents[Incident.Completion], _incidents[Incident.DamageMet]);
    }

    private Chain Roll(SimulatedLog log)
    {
        var chain = Complete(_directories.Of(_nodes[0]).OpenWriteSegment(log.Name, _stored.Chains[log.Name].Value.WriteSegment?.Id, 0, default));
        log.Saw(chain);
        log.ForgetAllButTheNewest();
        _nodes.ForEach(node => node.Announce(chain));
        return chain;
    }

    private static async Task<bool> Done(Task task)
    {
        await task;
        return true;
    }

    private static T Complete<T>(Task<T> task)
    {
        Assert.True(task.IsCompleted);
        return task.GetAwaiter().GetResult();
    }
}
