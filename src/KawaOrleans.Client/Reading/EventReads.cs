namespace KawaOrleans.Client;

/// <summary>Reads of single events from one replica. Who comes while calls are under way travels with all others who wait, in the next one.</summary>
/// <remarks>What must stay true: a request goes out after it was made, so that it sees all that was committed before. Nobody suffers from what is wrong with
/// another one's event: where a call of several is refused, or leaves an event out, those are told to ask alone. Whoever waits is
/// sent when a call ends, which the framework sees to within its response timeout.</remarks>
internal sealed class EventReads : IThreadPoolWorkItem
{
    // One is answered while the other comes.
    private const int MostUnderWay = 2;

    private readonly Lock _gate = new();
    private List<One> _waiting = [];
    private int _underWay;

    /// <param name="grain">The replica.</param>
    /// <param name="request">For one event, without waiting.</param>
    /// <returns>What the replica answered; null to ask it alone.</returns>
    public Task<ReadResult?> ReadAsync(ISegmentGrain grain, ReadRequest request)
    {
        lock (_gate)
        {
            if (_underWay == MostUnderWay)
            {
                var one = new One(grain, request);
                _waiting.Add(one);
                return one.Task;
            }

            _underWay++;
        }

        return ReadAloneAsync(grain, request);
    }

    /// <summary>Behind those who were just told: what they ask for next travels together.</summary>
    void IThreadPoolWorkItem.Execute() => SendWaiting();

    private async Task<ReadResult?> ReadAloneAsync(ISegmentGrain grain, ReadRequest request)
    {
        try
        {
            return await grain.Read(request, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            SendWaiting();
        }
    }

    /// <summary>A call ended: those who wait are the next one.</summary>
    private void SendWaiting()
    {
        List<One> together;
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                _underWay--;
                return;
            }

            var count = Math.Min(_waiting.Count, Limits.MaxPositionsPerRead);
            together = _waiting[..count];
            _waiting = _waiting[count..];
        }

        _ = ReadTogetherAsync(together);
    }

    private async Task ReadTogetherAsync(List<One> together)
    {
        try
        {
            together.Sort(static (a, b) => a.Request.From.CompareTo(b.Request.From));
            var atLeast = together.Max(static one => one.Request.AtLeast);
            var answer = await together[0].Grain.ReadEach([.. together.Select(static one => one.Request.From)], atLeast, CancellationToken.None).ConfigureAwait(false);
            var at = 0;
            for (var i = 0; i < together.Count && i < answer.Events.Runs.Length; i++)
            {
                together[i].Answer = Part(answer, i, at, together[i].Request.From);
                at += answer.Events.Runs[i].Length;
            }
        }
        catch (Exception e) when (e is NodeUnavailableException || Failure.IsOnTheWay(e, CancellationToken.None))
        {
            together.ForEach(one => one.Error = e);
        }
        catch (Exception)
        {
            // Whose fault it is, each finds out alone.
        }

        foreach (var one in together)
        {
            ThreadPool.UnsafeQueueUserWorkItem(one, preferLocal: false);
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>What the replica would have answered to one of them; null where it left the event out.</summary>
    private static ReadResult? Part(ReadResult all, int index, int at, long position)
    {
        var (events, run) = (all.Events, all.Events.Runs[index]);
        return run.Length == 0 ? null : new ReadResult
        {
            Events = new FrameBlock
            {
                SegmentId = events.SegmentId,
                Generation = events.Generation,
                Epoch = events.Epoch,
                BasePosition = events.BasePosition,
                Runs = [run],
                Bytes = new Block(events.Bytes.Bytes.Slice(at, run.Length)),
            },
            Next = position + 1,
            Committed = all.Committed,
            AtEndOfSegment = false,
            ExaminedBytes = run.Length,
            HasEnded = all.HasEnded,
        };
    }

    private sealed class One(ISegmentGrain grain, ReadRequest request) : TaskCompletionSource<ReadResult?>, IThreadPoolWorkItem
    {
        public ISegmentGrain Grain => grain;

        public ReadRequest Request => request;

        public ReadResult? Answer { get; set; }

        public Exception? Error { get; set; }

        void IThreadPoolWorkItem.Execute()
        {
            if (Error is null)
            {
                SetResult(Answer);
            }
            else
            {
                SetException(Error);
            }
        }
    }
}
