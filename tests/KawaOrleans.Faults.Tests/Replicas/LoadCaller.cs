using KawaOrleans.Tests.History;

namespace KawaOrleans.Faults.Tests.Replicas;

/// <summary>Appends batch after batch to a stream of its own, each expecting the revision that the one before was told, and to a stream that all
/// callers share. What it is not told the outcome of it sends again, with the same ids, until it is told.</summary>
internal sealed class LoadCaller(ILog log, History history, int number)
{
    private const string Shared = "shared";

    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(50);

    private readonly string _own = $"caller-{number}";
    private long _last = Expectation.NoStream;
    private int _acknowledged;

    /// <summary>Batches acknowledged so far.</summary>
    public int Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>Calls that ended without an answer, or were refused for now, so far.</summary>
    public int Failures { get; private set; }

    /// <summary>What the last of these said.</summary>
    public string LastFailure { get; private set; } = "";

    /// <summary>Begins no batch after it is told to stop, and gives up the last one when told to end.</summary>
    public async Task RunAsync(CancellationToken stop, CancellationToken end)
    {
        for (var sequence = 0; !stop.IsCancellationRequested && !end.IsCancellationRequested; sequence++)
        {
            await AppendAsync(sequence, end);
        }
    }

    private async Task AppendAsync(int sequence, CancellationToken end)
    {
        EventData[] events = [Event(_own, sequence), Event(_own, sequence), Event(Shared, sequence)];
        var batch = EventBatch.Encode(events);
        var expected = _last == Expectation.NoStream ? ExpectedRevision.NoStream : ExpectedRevision.Exactly(_last);
        while (!end.IsCancellationRequested)
        {
            var recorded = history.Append([.. events.Select(static e => new GivenEvent(e.Id, e.Stream))], new Expectation(_own, _last));
            try
            {
                var told = await log.AppendAsync(batch, StreamExpectations.Of(new StreamExpectation(_own, expected)), CancellationToken.None);
                if (told is RevisionConflict conflict)
                {
                    history.Refused(recorded, (conflict.Stream, conflict.ActualRevision));
                    throw new InvalidOperationException($"Nobody else writes '{_own}', expected at {_last}, and it is at {conflict.ActualRevision}.");
                }

                history.Acknowledged(recorded, ((Appended)told).First);
                _last = ((Appended)told).Revisions![0];
                Interlocked.Increment(ref _acknowledged);
                return;
            }
            catch (KawaException failed) when (failed.IsRetryable || failed is UnknownOutcomeException or DirectoryUnavailableException or SegmentFaultedException)
            {
                // Recorded as unknown, whatever it says: that is true of all of them.
                Failures++;
                LastFailure = failed.Message;
                await Task.Delay(BetweenTries, CancellationToken.None);
            }
        }
    }

    private static EventData Event(string stream, int sequence) => new(stream, "loaded", new byte[100 + (sequence % 300)]) { Id = Guid.NewGuid() };
}
