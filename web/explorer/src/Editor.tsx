import { useEffect } from 'react';
import { useEditorContext } from '@graphiql/react';
import { GraphiQL, type GraphiQLProps } from 'graphiql';
import 'graphiql/style.css';

const sample = `# Ctrl+Enter runs the query, Ctrl+Space completes a name.
# currentUser is the owner of the API key above; without a key it is null.
query CurrentUser {
  currentUser {
    id
    full_name
  }
}
`;

export default function Editor({ fetcher, storage }: Pick<GraphiQLProps, 'fetcher' | 'storage'>) {
  return (
    <GraphiQL
      fetcher={fetcher}
      storage={storage}
      defaultQuery={sample}
      shouldPersistHeaders={false}
      showPersistHeadersSettings={false}
    >
      <GraphiQL.Logo>
        <Repairs />
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

/** What the editors lack: names for screen readers, and wrapping, as hints jump when a line scrolls. */
function Repairs() {
  const editors = useEditorContext();
  const { queryEditor, variableEditor, headerEditor, responseEditor } = editors ?? {};
  useEffect(() => {
    queryEditor?.setOption('screenReaderLabel', 'Query editor');
    variableEditor?.setOption('screenReaderLabel', 'Variables editor');
    headerEditor?.setOption('screenReaderLabel', 'Headers editor');
    responseEditor?.setOption('screenReaderLabel', 'Result');
    queryEditor?.setOption('lineWrapping', true);
  }, [queryEditor, variableEditor, headerEditor, responseEditor]);
  return 'GraphQL';
}
