namespace KawaOrleans.Cluster.Tests.Protocol.Registration;

/// <summary>Runs a body once for every sequence of choices that it can make.</summary>
internal sealed class EveryOrder
{
    private readonly List<(int Chosen, int Of)> _path = [];
    private int _depth;

    /// <summary>The choices of this run, to be shown when it fails.</summary>
    public string Path => string.Join(' ', _path.Select(choice => choice.Chosen));

    /// <summary>How many runs there were.</summary>
    public static int Run(Action<EveryOrder> body)
    {
        var orders = new EveryOrder();
        for (var runs = 1; ; runs++)
        {
            orders._depth = 0;
            body(orders);
            while (orders._path.Count > 0 && orders._path[^1] is var last && last.Chosen + 1 == last.Of)
            {
                orders._path.RemoveAt(orders._path.Count - 1);
            }

            if (orders._path.Count == 0)
            {
                return runs;
            }

            orders._path[^1] = (orders._path[^1].Chosen + 1, orders._path[^1].Of);
        }
    }

    /// <summary>One of 0 to <paramref name="count"/> - 1.</summary>
    public int Pick(int count)
    {
        if (_depth == _path.Count)
        {
            _path.Add((0, count));
        }

        return _path[_depth++].Chosen;
    }
}
