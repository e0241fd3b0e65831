namespace KawaOrleans.Client;

/// <summary>Asks the replicas of a segment, one after another, until one answers. An only replica is asked as if there were no choice.</summary>
internal sealed class ReplicaChoice(TimeProvider time)
{
    private readonly ReplicaOrder _order = new(time);
    private int _turn;

    /// <param name="segment">The segment.</param>
    /// <param name="ask">Asks a node, with so much patience.</param>
    /// <param name="patience">The caller's, for all of them together.</param>
    /// <param name="cancellation">The caller's.</param>
    /// <exception cref="SegmentUnavailableException">None of several answered; it names each and why.</exception>
    public async Task<T> AskAsync<T>(
        ChainSegment segment, Func<string, TimeSpan, CancellationToken, Task<T>> ask, TimeSpan patience, CancellationToken cancellation)
    {
        if (segment.Ensemble.Count == 1)
        {
            return await ask(segment.Primary, patience, cancellation).ConfigureAwait(false);
        }

        var began = time.GetTimestamp();
        var failures = new List<ReplicaFailure>();
        var nodes = OrderOf(segment);
        for (var i = 0; i < nodes.Length; i++)
        {
            // Each its share of what is left, so that the last one still has one.
            var most = (patience - time.GetElapsedTime(began)) / (nodes.Length - i);
            try
            {
                var answer = await ask(nodes[i], most > Retries.LeastPatience ? most : Retries.LeastPatience, cancellation).ConfigureAwait(false);
                _order.Answered(nodes[i]);
                return answer;
            }
            catch (KawaException e) when (e is not RequestRefusedException)
            {
                _order.Failed(segment.Id, nodes[i], e);
                failures.Add(new ReplicaFailure(nodes[i], e.Message, e.IsRetryable));
            }
        }

        throw new SegmentUnavailableException(segment.Id, failures);
    }

    /// <summary>The same for a question that waits for something new. A replica that has nothing new after all that time may be one that the others went on
    /// without, so one of them is asked too.</summary>
    /// <param name="segment">The segment, of several replicas.</param>
    /// <param name="wait">How long a replica waits for something new.</param>
    /// <param name="ask">Asks a node, with so much patience, to wait so long.</param>
    /// <param name="isNews">True for an answer with something new in it.</param>
    /// <param name="patience">The caller's, for all of them together, beside the wait.</param>
    /// <param name="cancellation">The caller's.</param>
    /// <inheritdoc cref="AskAsync{T}(ChainSegment, Func{string, TimeSpan, CancellationToken, Task{T}}, TimeSpan, CancellationToken)" path="/exception"/>
    public async Task<T> AskAsync<T>(
        ChainSegment segment, TimeSpan wait, Func<string, TimeSpan, TimeSpan, CancellationToken, Task<T>> ask, Func<T, bool> isNews, TimeSpan patience,
        CancellationToken cancellation)
    {
        var answer = await AskAsync(segment, (node, most, token) => ask(node, most, wait, token), patience, cancellation).ConfigureAwait(false);
        if (wait == TimeSpan.Zero || !segment.IsOpen || isNews(answer))
        {
            return answer;
        }

        var turn = Interlocked.Increment(ref _turn);
        var node = segment.Ensemble[(turn & int.MaxValue) % segment.Ensemble.Count].Name;
        try
        {
            var other = await ask(node, patience / segment.Ensemble.Count, TimeSpan.Zero, cancellation).ConfigureAwait(false);
            return isNews(other) ? other : answer;
        }
        catch (KawaException)
        {
            // The first one answered; that this one does not is nothing to tell.
            return answer;
        }
    }

    /// <summary>Of an open segment the primary first, which knows most. Of an ended one any will do: each is begun with by the same part of the segments, so
    /// that readers of one segment find it in one node's memory, and those of many ask all nodes.</summary>
    private string[] OrderOf(ChainSegment segment)
    {
        var names = new string[segment.Ensemble.Count];
        var first = segment.IsOpen ? 0 : (segment.Id.GetHashCode() & int.MaxValue) % names.Length;
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = segment.Ensemble[(first + i) % names.Length].Name;
        }

        return _order.Of(segment.Id, names);
    }
}
