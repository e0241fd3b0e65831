using Microsoft.Data.Sqlite;

namespace KawaOrleans.Benchmarks.Engine.Peers;

/// <summary>SQLite with a write-ahead log, synced at every commit; one prepared insert.</summary>
internal sealed class SqlitePeer : IPeer
{
    public static readonly PeerPresence Presence = PeerPresence.Probe("SQLite", () =>
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        return $"{connection.ServerVersion} (Microsoft.Data.Sqlite {PeerPresence.PackageVersion("Microsoft.Data.Sqlite")})";
    });

    private readonly SqliteConnection _connection;
    private long _next;

    public SqlitePeer(string folder)
    {
        _connection = new SqliteConnection($"Data Source={Path.Combine(folder, "events.db")};Pooling=False");
        _connection.Open();
        foreach (var statement in (ReadOnlySpan<string>)["PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE log(id INTEGER PRIMARY KEY, body BLOB)"])
        {
            using var command = _connection.CreateCommand();
#pragma warning disable CA2100 // The three constants above.
            command.CommandText = statement;
#pragma warning restore CA2100
            command.ExecuteNonQuery();
        }
    }

    public string Name => Presence.Name;

    public void AppendDurably(BodySize size, int batches)
    {
        using var insert = _connection.CreateCommand();
        insert.CommandText = "INSERT INTO log(id, body) VALUES($id, $body)";
        var id = insert.Parameters.Add("$id", SqliteType.Integer);
        var body = insert.Parameters.Add("$body", SqliteType.Blob);
        for (var batch = 0; batch < batches; batch++)
        {
            using var transaction = _connection.BeginTransaction();
            insert.Transaction = transaction;
            for (var i = 0; i < BodySize.BatchEvents; i++)
            {
                id.Value = _next++;
                body.Value = size.Body(i);
                insert.ExecuteNonQuery();
            }

            transaction.Commit();
        }
    }

    public void Dispose() => _connection.Dispose();
}
