int conn_placeholder(void);
