using KawaOrleans.ClientSample.Orders;

namespace KawaOrleans.ClientSample.Demo;

/// <summary>Clerks who all want to take the money for the same orders, each deciding on the order as it was read.</summary>
internal sealed class OrderDesk(ILog log)
{
    private const int Orders = 20;
    private const int Clerks = 8;

    private readonly OrderStore _orders = new(log);
    private readonly Dictionary<string, string> _paidBy = [];

    /// <summary>How many orders there are.</summary>
    public static int Count => Orders;

    /// <summary>Places the orders, and has every clerk take the money for every one of them.</summary>
    /// <returns>What went wrong, a sentence each: for each order one clerk gets the money, and all are told the same one.</returns>
    public async Task<List<string>> WorkAsync(CancellationToken cancellation)
    {
        var wrong = new List<string>();
        foreach (var id in Enumerable.Range(1, Orders).Select(static i => $"{i}"))
        {
            await _orders.ChangeAsync(id, static order => order.Place("Ada", 42), cancellation);
            var paid = await Task.WhenAll(Enumerable.Range(1, Clerks).Select(
                clerk => _orders.ChangeAsync(id, order => order.Pay($"clerk {clerk}"), cancellation)));
            if (paid.Count(static one => one.Changed) != 1 || paid.Select(static one => one.Order.PaidBy).Distinct().Count() != 1)
            {
                wrong.Add($"Order {id} was paid {paid.Count(static one => one.Changed)} times.");
            }

            _paidBy[id] = paid[0].Order.PaidBy!;
        }

        return wrong;
    }

    /// <summary>Whether every order still was paid to the clerk who got the money.</summary>
    /// <param name="log">The log, as it is now.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<List<string>> FindDifferencesAsync(ILog log, CancellationToken cancellation)
    {
        var wrong = new List<string>();
        foreach (var (id, clerk) in _paidBy)
        {
            if (await new OrderStore(log).LoadAsync(id, cancellation) is var order && order.PaidBy != clerk)
            {
                wrong.Add($"Order {id} was paid to {clerk}, and now to {order.PaidBy ?? "nobody"}.");
            }
        }

        return wrong;
    }
}
