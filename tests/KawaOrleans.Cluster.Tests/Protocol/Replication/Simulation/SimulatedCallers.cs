using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using KawaOrleans.Tests.History;
using static KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation.SimulatedNodes;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>Callers that append to logs, with and without expectations, and repeat what they were not told the outcome of.</summary>
/// <param name="network">The nodes.</param>
/// <param name="checks">Holds each answer against the invariants.</param>
/// <param name="incidents">Counts what they meet.</param>
/// <param name="remembered">How many events a writer remembers.</param>
/// <param name="written">Called with an opening that has something to send.</param>
/// <param name="refused">Called with a log and the segment that did not take an append.</param>
internal sealed class SimulatedCallers(
    SimulatedNetwork network, Checks checks, Incidents incidents, int remembered, Action<SimulatedOpening> written, Action<SimulatedLog, Guid> refused)
{
    /// <summary>With so few events remembered a first try that arrives after its own repeat could be written again: a request must not travel longer than it
    /// takes to write so many events.</summary>
    public const int FewRemembered = 12;

    private const int Streams = 4;

    private readonly World _world = network.World;
    private readonly WriterKnowledge _knowledge = new(network, remembered);

    /// <summary>Sends a new batch, or an old one again, to the writer of a segment.</summary>
    public Task Append(SimulatedLog log, ChainSegment segment)
    {
        var old = log.Batches.Where(batch => batch.IsUnsettled && batch.MayGoTo(segment) && (remembered > FewRemembered || !batch.Tries.Exists(attempt => attempt.MayStillHappen()))).ToList();
        if (old.Count > 0 && _world.Chance(0.4))
        {
            return Try(log, old[_world.Random.Next(old.Count)], segment);
        }

        var told = _world.Chance(0.04) ? log.Batches.Where(batch => batch.First is not null && batch.MayGoTo(segment)).ToList() : [];
        if (told.Count > 0)
        {
            return Try(log, told[_world.Random.Next(told.Count)], segment);
        }

        return AppendNew(log, segment);
    }

    public Task AppendNew(SimulatedLog log, ChainSegment segment)
    {
        var events = Enumerable.Range(0, _world.Random.Next(1, 4))
            .Select(_ => new EventData(AnyStream(), "placed", new byte[_world.Random.Next(40, 200)]) { Id = _world.NewId() }).ToList();
        var batch = new CallersBatch(events, _world.Chance(0.4) ? Expect(log) : null, log.Reached);
        log.Batches.Add(batch);
        return Try(log, batch, segment);
    }

    private string AnyStream() => $"order-{_world.Random.Next(Streams)}";

    private StreamExpectations Expect(SimulatedLog log)
    {
        var stream = AnyStream();
        var known = log.RevisionOf(stream);
        return StreamExpectations.Of(new StreamExpectation(stream, _world.Random.Next(10) switch
        {
            0 => ExpectedRevision.NoStream,
            1 => ExpectedRevision.StreamExists,
            2 => ExpectedRevision.Exactly(known + 1),
            3 => ExpectedRevision.Exactly(Math.Max(0, known - 1)),
            _ => known < 0 ? ExpectedRevision.NoStream : ExpectedRevision.Exactly(known),
        }));
    }

    private async Task Try(SimulatedLog log, CallersBatch batch, ChainSegment segment)
    {
        var node = network.Node(segment.Primary);
        var recorded = log.History.Append([.. batch.Events.Select(e => new GivenEvent(e.Id, e.Stream))], [.. Recorded(batch.Expected)]);
        var attempt = new CallersTry(recorded, segment, WasTold: batch.First is not null);
        var retrySince = batch.Tries.Count > 0 ? batch.Reached : (long?)null;
        batch.Tries.Add(attempt);
        do
        {
            await _world.Pause(static () => false);
        }
        while (node.IsPaused);

        var process = node.Process;
        attempt.MayStillHappen = () => node.Process == process;
        if (!node.IsUp || _world.IsLost())
        {
            // The request was not heard: its caller does not know that.
            incidents.Count(Incident.LostAppend);
            attempt.MayStillHappen = static () => false;
            refused(log, segment.Id);
            return;
        }

        var (opening, whyNot) = await _knowledge.Open(node, log.Id, segment.Id);
        if (opening is null)
        {
            attempt.MayStillHappen = static () => false;
            log.History.Refused(recorded);
            network.Trace?.Say($"append of {batch.Events.Count} to {Short(segment.Id)} on {node.Name}: not taken, {whyNot}");
            refused(log, segment.Id);
            return;
        }

        attempt.IsAlone = !batch.Tries.Exists(other => other != attempt && other.MayStillHappen());
        var isToldTo = !_world.IsLost();
        var answer = network.Do(node, $"append to {Short(segment.Id)}", _ => new NodeAnswer<BatchOutcome>(
            opening.Append(batch.Encoded, retrySince, batch.Expected, (outcome, restsOn) => Tell(log, batch, attempt, opening, outcome, restsOn, isToldTo)), null));
        attempt.MayStillHappen = static () => false;
        network.Trace?.Say($"append of {batch.Events.Count} to {Short(segment.Id)} on {node.Name}: {answer.Unknown ?? $"{answer.Value.Fate} at {answer.Value.Position}"}");
        if (answer.IsKnown)
        {
            written(opening);
        }
        else
        {
            refused(log, segment.Id);
        }
    }

    private void Tell(SimulatedLog log, CallersBatch batch, CallersTry attempt, SimulatedOpening opening, BatchOutcome outcome, long restsOn, bool isToldTo)
    {
        var segment = opening.Segment.Header.Identity.Id;
        network.Trace?.Say($"TOLD {outcome.Fate} [{outcome.Position}, {outcome.Position + outcome.Count}) by {Short(segment)}, committed {restsOn}{(isToldTo ? "" : ", unheard")}");
        checks.Acknowledged(opening, restsOn);
        if (!isToldTo)
        {
            incidents.Count(Incident.LostAppendAnswer);
            return;
        }

        switch (outcome.Fate)
        {
            case BatchFate.Written or BatchFate.Repeated:
                log.History.Acknowledged(attempt.Recorded, outcome.Position);
                checks.Require(!batch.IsRefused, "Phantom", $"a batch at {outcome.Position} of {log.Name} was refused before");
                (batch.First, batch.ToldRevisions) = (outcome.Position, outcome.Revisions ?? batch.ToldRevisions);
                log.Saw(outcome.Position + outcome.Count);
                Learn(log, batch);
                Count(batch, attempt, outcome);
                break;
            case BatchFate.UnexpectedRevision when outcome.Conflict is { } conflict:
                incidents.Count(Incident.Conflict);

                // A writer whose segment has ended, and which has not heard of it, refuses by what was true then (docs/PROTOCOL.md, "Known limits").
                log.History.Refused(attempt.Recorded, checks.IsOpen(opening) ? (conflict.Stream, conflict.ActualRevision) : null);
                log.Saw(conflict.Stream, conflict.ActualRevision);

                checks.Require(!attempt.WasTold, "Lost", $"a batch was acknowledged at {batch.First} of {log.Name}, and its repeat refused");
                Refuse(log, batch, attempt);
                break;
            case BatchFate.TooOldToTell:
                incidents.Count(Incident.RepeatTooOld);
                log.History.Refused(attempt.Recorded);
                break;
            default:
                checks.Require(false, "Phantom", $"a batch whose ids only its own tries have was answered {outcome.Fate} at {outcome.Position} of {log.Name}");
                break;
        }
    }

    /// <summary>If no other try was on its way, and none has been made since, the batch is in the log nowhere: the writer looked for it.</summary>
    private static void Refuse(SimulatedLog log, CallersBatch batch, CallersTry attempt)
    {
        if (attempt.IsAlone && batch.Tries[^1] == attempt)
        {
            batch.IsRefused = true;
            batch.Tries.Where(other => other.Recorded.Outcome == Outcome.Unknown).ToList().ForEach(other => log.History.Refused(other.Recorded));
        }
    }

    private static void Learn(SimulatedLog log, CallersBatch batch)
    {
        for (var i = 0; i < (batch.ToldRevisions?.Count ?? 0); i++)
        {
            log.Saw(batch.Expected!.All[i].Stream, batch.ToldRevisions![i]);
        }
    }

    private void Count(CallersBatch batch, CallersTry attempt, BatchOutcome outcome)
    {
        if (outcome.Fate == BatchFate.Written && batch.Expected is not null)
        {
            incidents.Count(Incident.Expected);
        }
        else if (outcome.Fate == BatchFate.Repeated)
        {
            incidents.Count(batch.Tries[0].Segment.Id == attempt.Segment.Id ? Incident.Repeat : Incident.RepeatInLaterSegment);
        }
    }

    private static IEnumerable<Expectation> Recorded(StreamExpectations? expected) => (expected?.All ?? []).Select(e => new Expectation(
        e.Stream,
        e.Expected == ExpectedRevision.NoStream ? Expectation.NoStream
            : e.Expected == ExpectedRevision.StreamExists ? Expectation.SomeEvent
            : e.Expected.Code - ExpectedRevision.Exactly(0).Code));
}
